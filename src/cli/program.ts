import { Command } from 'commander';
import { version } from '../package.js';
import { withReadableHelp } from './help.js';

/** Loaded on demand: a command starts without the libraries of the others. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.js')).createServeCommand(),
  run: async () => (await import('./run.js')).createRunCommand(),
  styles: async () => (await import('./styles.js')).createStylesCommand(),
  tune: async () => (await import('./tune.js')).createTuneCommand(),
  invert: async () => (await import('./invert.js')).createInvertCommand(),
  token: async () => (await import('./token.js')).createTokenCommand(),
  doctor: async () => (await import('./doctor.js')).createDoctorCommand(),
  bench: async () => (await import('./bench.js')).createBenchCommand(),
  pull: async () => (await import('./pull.js')).createPullCommand(),
};

/** Creates the program with the command of this name, or with all if there is none. */
export async function createProgram(name = ''): Promise<Command> {
  const program = new Command('millrace').description('Live video in, generated video out.').version(version);
  const asked = Object.hasOwn(commands, name) ? [commands[name]] : Object.values(commands);
  for (const load of asked) if (load) program.addCommand(await load());
  return withReadableHelp(program);
}
