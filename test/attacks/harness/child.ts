import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Milliseconds that a process has to end by itself. */
const patience = 5000;

/** Starts a file of this folder as a process of its own, which may be sent messages. */
export function startChild(file: string): ChildProcess {
  return fork(new URL(file, import.meta.url), { serialization: 'advanced' });
}

/** @throws {Error} (as rejection) if the process ends before it says anything. */
export async function nextMessage(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  const options = { signal: over.signal };
  try {
    return await Promise.race([
      once(child, 'message', options).then(([message]: unknown[]) => message),
      once(child, 'exit', options).then(() => {
        throw new Error('a process of the attack tests ended too soon');
      }),
    ]);
  } finally {
    over.abort();
  }
}

/** Waits until the process has ended; kills it if that takes too long. */
export async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), patience);
  await once(child, 'exit');
  clearTimeout(timer);
}
