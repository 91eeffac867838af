import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { repositoryRoot } from './reference.js';

/** The file of the command line. */
export const main = join(repositoryRoot, 'dist/src/cli/main.js');

/** What a program has written by its end. */
export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts a program. @param environment besides that of this process. */
export function start(
  command: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Started {
  const env = { ...process.env, ...environment };
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

/** Starts a command of Millrace. */
export function startMillrace(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
  return start(process.execPath, [main, ...args], environment);
}
