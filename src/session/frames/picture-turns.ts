import { FairClock } from '../../diffusion/fair-clock.js';

/**
 * Returns how many pictures to decode at the same time: half as many as there are processors, but fewer than the four
 * threads of libuv, so that results can be encoded at the same time.
 */
export function decodersFor(processors: number): number {
  return Math.min(3, Math.max(1, Math.floor(processors / 2)));
}

interface Waiting {
  readonly owner: object;
  /** Begins the work, or with false cancels it. */
  readonly begin: (proceed: boolean) => void;
}

/** Weight of each measured time in the moving average of expected times. */
const smoothing = 1 / 4;

/**
 * Lets streams take turns at decoding, with a few pictures decoded at the same time. Shares are equal in time, so that
 * a stream whose pictures take long to decode neither delays the others nor takes processor time from the engine.
 */
export class PictureTurns {
  /** Pictures that are decoded at the same time. */
  readonly atOnce: number;
  readonly #clock = new FairClock<object>();
  readonly #waiting: Waiting[] = [];
  /** Usual milliseconds per picture of each stream, and of all. */
  readonly #usual = new WeakMap<object, number>();
  #usualOfAll = 0;
  #running = 0;

  /** @param atOnce at least 1. */
  constructor(atOnce: number) {
    this.atOnce = atOnce;
  }

  /** Returns the usual milliseconds to decode a picture of this stream; 0 before the first. */
  usualMs(owner: object): number {
    return this.#usual.get(owner) ?? 0;
  }

  /**
   * Does the work when it is the stream's turn.
   * @returns what the work returns; null if the stream was removed before its turn came.
   */
  async run<T>(owner: object, work: () => Promise<T>): Promise<T | null> {
    const proceed = await new Promise<boolean>((begin) => {
      this.#waiting.push({ owner, begin });
      this.#next();
    });
    if (!proceed) return null;
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#note(owner, performance.now() - start);
      this.#running -= 1;
      this.#next();
    }
  }

  /** Cancels work of a stream that has not begun, and forgets the stream. */
  remove(owner: object): void {
    for (const waiting of this.#waiting.filter((candidate) => candidate.owner === owner)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.begin(false);
    }
    this.#clock.remove(owner);
  }

  #next(): void {
    if (this.#running >= this.atOnce) return;
    this.#clock.arrive(new Set(this.#waiting.map(({ owner }) => owner)));
    let next: Waiting | undefined;
    let least = Infinity;
    for (const waiting of this.#waiting) {
      const tag = this.#clock.tag(waiting.owner, this.#estimate(waiting.owner));
      if (tag >= least) continue;
      next = waiting;
      least = tag;
    }
    if (next === undefined) return;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#clock.advance(least);
    this.#clock.charge(next.owner, this.#estimate(next.owner));
    this.#running += 1;
    next.begin(true);
  }

  /**
   * Returns the expected milliseconds of the next picture of a stream: as its last ones, or else as those of others.
   */
  #estimate(owner: object): number {
    return this.#usual.get(owner) ?? this.#usualOfAll;
  }

  #note(owner: object, ms: number): void {
    const estimate = this.#estimate(owner);
    this.#clock.charge(owner, ms - estimate);
    this.#usual.set(owner, this.#usual.has(owner) ? estimate + (ms - estimate) * smoothing : ms);
    this.#usualOfAll += (ms - this.#usualOfAll) * smoothing;
  }
}
