import { asError } from '../engine/as-error.js';
/**
 * Runs a command that the first SIGINT or SIGTERM ends gracefully, and the second at once. Sets the exit code:
 * 0 done, 1 failed, 130 interrupted.
 * @param explain returns the line for an error. @param interrupted the line for an interruption, if any.
 */
export async function interruptible(
  action: (signal: AbortSignal) => Promise<void>,
  { explain, interrupted }: { readonly explain: (error: unknown) => string; readonly interrupted?: string },
): Promise<void> {
  const interrupt = new AbortController();
  const stop = (): void => (interrupt.signal.aborted ? process.exit(130) : interrupt.abort());
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop);
  try {
    await action(interrupt.signal);
  } catch (error) {
    process.exitCode = interrupt.signal.aborted ? 130 : 1;
    const line = interrupt.signal.aborted ? interrupted : explain(error);
    if (line !== undefined) process.stderr.write(`millrace: ${line}\n`);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, stop);
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
