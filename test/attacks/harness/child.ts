import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Milliseconds that a process has to exit before it is killed. */
const exitTimeoutMs = 5000;

/** Starts a file of this folder as a separate process that accepts messages. */
export function startChild(file: string): ChildProcess {
  return fork(new URL(file, import.meta.url), { serialization: 'advanced' });
}

/** Returns the next message. @throws {Error} (as rejection) if the process exits before it sends one. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const options = { signal: settled.signal };
  try {
    return await Promise.race([
      once(child, 'message', options).then(([message]: unknown[]) => message),
      once(child, 'exit', options).then(() => {
        throw new Error('a process of the attack tests exited early');
      }),
    ]);
  } finally {
    settled.abort();
  }
}

/** Waits until the process has exited; kills it if that takes too long. */
export async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), exitTimeoutMs);
  await once(child, 'exit');
  clearTimeout(timer);
}
