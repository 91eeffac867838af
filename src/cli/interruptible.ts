import { inferenceThreadsEnd } from '../engine/host/inference-thread.js';

/** Longest wait for threads that have failed or were asked to stop. */
const endTimeoutMs = 5000;
const signals = ['SIGINT', 'SIGTERM'] as const;

/** What SIGINT and SIGTERM ask of a command. */
export class Interrupts {
  readonly #abort = new AbortController();
  readonly #stop = new AbortController();
  #onStop: (() => void) | null = null;
  #received: NodeJS.Signals | undefined;

  /** Aborts when the command is to end at once, without a result; the next interruption then kills the process. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Aborts when the command is to end with what it has so far. */
  get stop(): AbortSignal {
    return this.#stop.signal;
  }

  /** The last one that was received. */
  get received(): NodeJS.Signals | undefined {
    return this.#received;
  }

  /** Lets the next interruption only `stop`. @param onStop tells the user. */
  stopFirst(onStop: () => void): void {
    this.#onStop = onStop;
  }

  listen(): void {
    for (const name of signals) process.on(name, this.#receive);
  }

  unlisten(): void {
    for (const name of signals) process.off(name, this.#receive);
  }

  readonly #receive = (name: NodeJS.Signals): void => {
    this.#received = name;
    if (this.signal.aborted) {
      this.unlisten();
      process.kill(process.pid, name);
      return;
    }
    const onStop = this.#onStop;
    this.#onStop = null;
    if (onStop !== null) {
      this.#stop.abort();
      return onStop();
    }
    this.#abort.abort();
  };
}

/**
 * Runs a command that the first SIGINT or SIGTERM ends gracefully, while the second kills it; if it stops first, with
 * what it has so far, they are the second and the third. Sets the exit code: 0 done, 1 failed, 130 interrupted. If an
 * inference call does not end in time, the process is killed by the signal (SIGKILL without one).
 * @param explain returns the line for an error. @param interrupted the line for an interruption, if any.
 */
export async function interruptible(
  action: (signal: AbortSignal, interrupts: Interrupts) => Promise<void>,
  { explain, interrupted }: { readonly explain: (error: unknown) => string; readonly interrupted?: string },
): Promise<void> {
  const interrupts = new Interrupts();
  const { signal, stop } = interrupts;
  interrupts.listen();
  try {
    await action(signal, interrupts);
  } catch (error) {
    process.exitCode = signal.aborted || stop.aborted ? 130 : 1;
    const line = signal.aborted ? interrupted : explain(error);
    if (line !== undefined) process.stderr.write(`millrace: ${line}\n`);
  } finally {
    interrupts.unlisten();
    // Node.js would wait for an inference call that is still running, and abort when it returns.
    if (!(await inferenceThreadsEnd(endTimeoutMs)))
      process.kill(process.pid, interrupts.received ?? 'SIGKILL');
  }
}

/** Never settles, but rejects once the signal is aborted. */
export function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(new Error('interrupted'));
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
  });
}
