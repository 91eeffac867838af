import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { join } from 'node:path';
import { repositoryRoot } from './reference.js';

/** A `millrace serve` in a separate process. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  /** Returns the values of metrics whose names begin with `prefix`, by name and labels. */
  metrics(prefix: string): Promise<ReadonlyMap<string, number>>;
}

/** The environment of a server. */
export interface Surroundings {
  /** The limit of file descriptors; that of this process by default. */
  readonly openFiles?: number | undefined;
  /** A module that it imports first and that can receive messages. */
  readonly imports?: URL;
  /** The token to read metrics with, if they need one. */
  readonly metricsToken?: string | undefined;
  /** Further variables. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Starts a server on a free port and waits until its model is ready. */
export async function startServer(...args: readonly string[]): Promise<ServerProcess> {
  return startServerIn({}, ...args);
}

/** Starts a server in another environment. */
export async function startServerIn(
  { openFiles, imports, metricsToken, environment }: Surroundings,
  ...args: readonly string[]
): Promise<ServerProcess> {
  const main = join(repositoryRoot, 'dist/src/cli/main.js');
  const command = [process.execPath, main, 'serve', '--port', '0', '--log-format', 'json', ...args];
  // Node raises the soft limit to the hard one, so both are set; the server replaces the shell.
  const limited = ['/bin/sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, ...command];
  const [program = '', ...rest] = openFiles === undefined ? command : limited;
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'inherit', ...(imports ? (['ipc'] as const) : [])],
    env: { ...process.env, ...environment, ...(imports && { NODE_OPTIONS: `--import ${imports.href}` }) },
  });
  const url = await ready(child);
  return {
    url,
    child,
    async metrics(prefix) {
      const headers = metricsToken === undefined ? {} : { authorization: `Bearer ${metricsToken}` };
      const text = await (await fetch(`${url}/metrics`, { headers })).text();
      const lines = text.split('\n').filter((line) => line.startsWith(prefix));
      return new Map(
        lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
      );
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Reads the log until it names the address, then polls /readyz: rarely, since the server measures its costs then. */
export async function ready(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no output');
  for await (const line of createInterface(child.stdout)) {
    const [url] = /http:\/\/[\d.]+:\d+/.exec(line) ?? [];
    if (url === undefined) continue;
    child.stdout.resume();
    while (!(await fetch(`${url}/readyz`)).ok) await new Promise((resolve) => setTimeout(resolve, 200));
    return url;
  }
  throw new Error('the server ended before it listened');
}
