import { asError } from '../engine/as-error.js';
import { inferenceThreadsEnd } from '../engine/host/inference-thread.js';

/** Longest wait for threads that have failed or were asked to stop. */
const endTimeoutMs = 5000;

/**
 * Runs a command that the first SIGINT or SIGTERM ends gracefully, while the second kills it. Sets the exit code:
 * 0 done, 1 failed, 130 interrupted. If an inference call does not end in time, the process is killed by the signal
 * (SIGKILL without one).
 * @param explain returns the line for an error. @param interrupted the line for an interruption, if any.
 */
export async function interruptible(
  action: (signal: AbortSignal) => Promise<void>,
  { explain, interrupted }: { readonly explain: (error: unknown) => string; readonly interrupted?: string },
): Promise<void> {
  const interrupt = new AbortController();
  let received: NodeJS.Signals | undefined;
  const stop = (name: NodeJS.Signals): void => {
    received = name;
    interrupt.abort();
    unlisten();
  };
  const unlisten = (): void => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
  };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop);
  try {
    await action(interrupt.signal);
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? 130 : 1;
    const line = interrupt.signal.aborted ? interrupted : explain(error);
    if (line !== undefined) process.stderr.write(`millrace: ${line}\n`);
  } finally {
    unlisten();
    // Node.js would wait for an inference call that is still running, and abort when it returns.
    if (!(await inferenceThreadsEnd(endTimeoutMs))) process.kill(process.pid, received ?? 'SIGKILL');
  }
}

/** Returns the message of an error on one line. */
export function oneLine(error: unknown): string {
  return asError(error).message.replace(/\s*\n\s*/g, ' ');
}

/** Never settles, but rejects once the signal is aborted. */
export function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(new Error('interrupted'));
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
}
