import type { FeedCounts } from './engine-feed.js';
import type { FramePipeline } from './frame-pipeline.js';
import type { Outlet } from './outlet.js';
import type { Rates } from './overload.js';

/** Holds the frames of a session to what its token allows and to its share of an overloaded engine. */
export class Pacing {
  readonly #frames: FramePipeline;
  readonly #outlet: Outlet;
  #allowed: number | null = null;
  #share: number | null = null;
  #before: FeedCounts;

  constructor(frames: FramePipeline, outlet: Outlet) {
    this.#frames = frames;
    this.#outlet = outlet;
    this.#before = frames.counts;
  }

  /** @param fps frames a second that the token allows; null for any number. */
  allow(fps: number | null): void {
    this.#allowed = fps;
    this.#apply();
  }

  /** @param fps frames a second that the engine has for this session; null for any number. The client is told. */
  share(fps: number | null): void {
    if (fps === this.#share) return;
    this.#share = fps;
    this.#apply();
    this.#outlet.send({ type: 'quality', fps });
  }

  /** Frames a second since the last call. */
  rates(seconds: number): Rates {
    const { offered, taken } = this.#frames.counts;
    const before = this.#before;
    this.#before = { offered, taken };
    return { wanted: (offered - before.offered) / seconds, got: (taken - before.taken) / seconds };
  }

  #apply(): void {
    const limit = Math.min(this.#allowed ?? Infinity, this.#share ?? Infinity);
    this.#frames.limit(limit === Infinity ? null : limit);
  }
}
