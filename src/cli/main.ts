#!/usr/bin/env node
import { Command } from 'commander';
import { version } from '../package.js';
import { withReadableHelp } from './help.js';

/** Loaded on demand: a command starts without the libraries of the others. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.js')).createServeCommand(),
  run: async () => (await import('./run.js')).createRunCommand(),
  tune: async () => (await import('./tune.js')).createTuneCommand(),
  invert: async () => (await import('./invert.js')).createInvertCommand(),
  token: async () => (await import('./token.js')).createTokenCommand(),
  doctor: async () => (await import('./doctor.js')).createDoctorCommand(),
  bench: async () => (await import('./bench.js')).createBenchCommand(),
  pull: async () => (await import('./pull.js')).createPullCommand(),
};

const program = new Command('millrace').description('Live video in, generated video out.').version(version);
const [, , name = ''] = process.argv;
const asked = Object.hasOwn(commands, name) ? [commands[name]] : Object.values(commands);
for (const load of asked) if (load) program.addCommand(await load());
await withReadableHelp(program).parseAsync();
