import { asError } from '../engine/as-error.js';

/** What SIGINT and SIGTERM ask of a command. */
export class Interrupts {
  readonly #abort = new AbortController();
  readonly #stop = new AbortController();
  #onStop: (() => void) | null = null;

  /** Aborts when the command is to end at once, without a result. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Aborts when the command is to end with what it has so far. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** Lets the next interruption only `stop`. @param onStop tells the user. */
  stopFirst(onStop: () => void): void {
    this.#onStop = onStop;
  }

  readonly raise = (): void => {
    if (this.signal.aborted) process.exit(130);
    const onStop = this.#onStop;
    this.#onStop = null;
    if (onStop === null) return this.#abort.abort();
    this.#stop.abort();
    onStop();
  };
}

/**
 * Runs a command that the first SIGINT or SIGTERM ends gracefully, and the second at once; if it stops first, with what
 * it has so far, they are the second and the third. Sets the exit code: 0 done, 1 failed, 130 interrupted.
 * @param explain returns the line for an error. @param interrupted the line for an interruption, if any.
 */
export async function interruptible(
  action: (signal: AbortSignal, interrupts: Interrupts) => Promise<void>,
  { explain, interrupted }: { readonly explain: (error: unknown) => string; readonly interrupted?: string },
): Promise<void> {
  const interrupts = new Interrupts();
  const { signal, stop, raise } = interrupts;
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, raise);
  try {
    await action(signal, interrupts);
  } catch (error) {
    process.exitCode = signal.aborted || stop.aborted ? 130 : 1;
    const line = signal.aborted ? interrupted : explain(error);
    if (line !== undefined) process.stderr.write(`millrace: ${line}\n`);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, raise);
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
