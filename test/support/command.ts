import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { mock } from 'node:test';
import { createProgram } from '../../src/cli/program.js';
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

/** Runs a command of Millrace in this process, which takes a fraction of the time of a program. */
export async function runMillrace(args: readonly string[]): Promise<Omit<Ended, 'signal'>> {
  const program = await createProgram(args[0]);
  // The test runner sets it too, as soon as a test has failed.
  const { exitCode: ofRunner } = process;
  process.exitCode = undefined;
  const written = { stdout: '', stderr: '' };
  const mocks = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name];
    const write = stream.write.bind(stream);
    // The test runner reports to standard output too, in bytes.
    return mock.method(stream, 'write', (chunk: string | Uint8Array): boolean => {
      if (typeof chunk !== 'string') return write(chunk);
      written[name] += chunk;
      return true;
    });
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return { code: exitCode(), ...written };
  } finally {
    process.exitCode = ofRunner;
    for (const { mock: own } of mocks) own.restore();
  }
}

function exitCode(): number {
  return Number(process.exitCode ?? 0);
}
