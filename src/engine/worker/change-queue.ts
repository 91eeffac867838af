import { FairClock } from '../../diffusion/fair-clock.js';

/** A stream to open, or a change of its parameters. */
export interface Change {
  readonly stream: number;
  /** Changes of one account are carried out in the order in which they came. */
  readonly account: string;
  /** An error of it ends the worker. */
  carryOut(): Promise<void>;
}

/**
 * Streams to open and parameters to change: each may embed prompts, which takes time of the same thread as the frames.
 * The caller carries out one at a time and works on frames in between. Accounts take turns, so that one who changes
 * all the time holds up nobody else's change.
 */
export class ChangeQueue {
  /** In the order in which they came. */
  readonly #waiting: Change[] = [];
  readonly #clock = new FairClock<string>();

  put(change: Change): void {
    this.#waiting.push(change);
  }

  /** Gives up the changes of a stream that is closed, which was the only one of its account if one is given. */
  cancel(stream: number, account?: string): void {
    const kept = this.#waiting.filter((waiting) => waiting.stream !== stream);
    this.#waiting.splice(0, this.#waiting.length, ...kept);
    if (account !== undefined) this.#clock.remove(account);
  }

  /**
   * Carries out the next change.
   * @returns the stream and how many milliseconds it took; null if none waits.
   */
  async next(): Promise<{ readonly stream: number; readonly ms: number } | null> {
    const change = this.#take();
    if (change === undefined) return null;
    const start = performance.now();
    await change.carryOut();
    return { stream: change.stream, ms: performance.now() - start };
  }

  #take(): Change | undefined {
    const accounts = new Set(this.#waiting.map(({ account }) => account));
    this.#clock.arrive(accounts);
    const [next] = [...accounts]
      .map((account) => ({ account, tag: this.#clock.tag(account, 1) }))
      .toSorted((a, b) => a.tag - b.tag);
    if (next === undefined) return undefined;
    this.#clock.advance(next.tag);
    this.#clock.charge(next.account, 1);
    const [taken] = this.#waiting.splice(
      this.#waiting.findIndex(({ account }) => account === next.account),
      1,
    );
    return taken;
  }
}
