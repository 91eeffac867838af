import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A `millrace serve` in a separate process, until disposal. */
export interface OwnServer extends AsyncDisposable {
  readonly url: string;
}

/**
 * Starts a server on a free port, with the settings of the environment, and waits until it is ready.
 * @param connections that it must accept from this machine.
 * @throws {Error} if it ends before that.
 */
export async function startOwnServer(connections: number, signal: AbortSignal): Promise<OwnServer> {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const flags = ['--port', '0', '--host', '127.0.0.1', '--log-format', 'json', '--log-level', 'info'];
  const limits = ['--max-connections-per-address', '--max-plain-connections-per-address'].flatMap((flag) => [
    flag,
    `${connections + 64}`,
  ]);
  const child = spawn(process.execPath, [main, 'serve', ...flags, ...limits], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal,
  });
  child.on('error', () => {});
  const ended = once(child, 'exit');
  for await (const line of createInterface(child.stdout)) {
    const [, url] = /"ready: open (http:\S+)/.exec(line) ?? [];
    if (url === undefined) continue;
    child.stdout.resume();
    return {
      url,
      async [Symbol.asyncDispose]() {
        child.kill('SIGTERM');
        await ended;
      },
    };
  }
  throw new Error('the server ended before it was ready');
}
