import { FairClock } from '../../diffusion/fair-clock.js';

/**
 * Returns how many pictures to decode at the same time: half as many as there are processors, but fewer than the four
 * threads of libuv, so that results can be encoded at the same time.
 */
export function decodersFor(processors: number): number {
  return Math.min(3, Math.max(1, Math.floor(processors / 2)));
}

/** A picture that is being decoded. */
interface Running {
  readonly startedAt: number;
  /** Whether it has taken long already. */
  isLong: boolean;
}

interface Waiting {
  readonly owner: object;
  /** Begins the work, or with null cancels it. */
  readonly begin: (running: Running | null) => void;
}

/** Weight of each measured time in the moving average of expected times. */
const smoothing = 1 / 4;
/** Pictures that take at most this many milliseconds are short. */
const shortMs = 50;

/**
 * Lets streams take turns at decoding, with a few pictures decoded at the same time. Shares are equal in time, so that
 * a stream whose pictures take long to decode neither delays the others nor takes processor time from the engine.
 * Decoding cannot be interrupted: while all that is decoded takes long, one picture of a stream with short ones may be
 * decoded besides.
 */
export class PictureTurns {
  /** Pictures that are decoded at the same time, apart from the one besides. */
  readonly atOnce: number;
  readonly #clock = new FairClock<object>();
  readonly #waiting: Waiting[] = [];
  /** Usual milliseconds per picture of each stream, and of all. */
  readonly #usual = new WeakMap<object, number>();
  #usualOfAll = 0;
  readonly #running = new Set<Running>();

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
    const running = await new Promise<Running | null>((begin) => {
      this.#waiting.push({ owner, begin });
      this.#next();
    });
    if (!running) return null;
    // Short pictures may be waiting by then. Timers may be early by the clock, so the clock is not asked.
    const timer = setTimeout(() => {
      running.isLong = true;
      this.#next();
    }, shortMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      this.#running.delete(running);
      this.#note(owner, performance.now() - running.startedAt);
      this.#next();
    }
  }

  /** Cancels work of a stream that has not begun, and forgets the stream. */
  remove(owner: object): void {
    for (const waiting of this.#waiting.filter((candidate) => candidate.owner === owner)) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.begin(null);
    }
    this.#clock.remove(owner);
  }

  #next(): void {
    const candidates = this.#candidates();
    if (candidates.length === 0) return;
    this.#clock.arrive(new Set(this.#waiting.map(({ owner }) => owner)));
    let next: Waiting | undefined;
    let least = Infinity;
    for (const waiting of candidates) {
      const tag = this.#clock.tag(waiting.owner, this.#estimate(waiting.owner));
      if (tag >= least) continue;
      next = waiting;
      least = tag;
    }
    if (next === undefined) return;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#clock.advance(least);
    this.#clock.charge(next.owner, this.#estimate(next.owner));
    const running = { startedAt: performance.now(), isLong: false };
    this.#running.add(running);
    next.begin(running);
  }

  /** Returns the waiting pictures of which one may begin now. */
  #candidates(): readonly Waiting[] {
    const { size } = this.#running;
    if (size < this.atOnce) return this.#waiting;
    if (size > this.atOnce || [...this.#running].some(({ isLong }) => !isLong)) return [];
    return this.#waiting.filter(({ owner }) => (this.#usual.get(owner) ?? Infinity) <= shortMs);
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
