import type { LiveStream } from './live-stream.js';

/** Milliseconds between counts: users come and go more slowly. */
const everyMs = 250;

/**
 * Counts for each stream how many fill U-Net calls together with it. One that sends a third of its frames counts as a
 * third, idle ones not at all.
 */
export class UserCount {
  #nextAt = -Infinity;

  /** @param now by `performance.now()`. */
  update(streams: readonly LiveStream[], now: number): void {
    if (now < this.#nextAt) return;
    this.#nextAt = now + everyMs;
    const all = streams.map((stream) => ({
      stream,
      key: stream.callKey,
      interval: stream.arrivals.interval(now),
    }));
    for (const { stream, key, interval } of all) {
      let users = 0;
      for (const other of all) {
        if (other.key !== key || other.interval === Infinity) continue;
        users += interval < other.interval ? interval / other.interval : 1;
      }
      stream.denoise.users = Math.max(1, Math.round(users));
    }
  }
}
