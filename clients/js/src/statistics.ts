import type { DropReason, ResultMessage, StageTimings } from '@millrace/protocol';

/**
 * Why this side dropped a frame: a newer frame displaced it before there was a credit (`no_credit`), a newer result
 * displaced its result before the consumer read it (`unread`), or its result became outdated in buffers while this side
 * was interrupted (`stale`; the server uses the same reason).
 */
export type LocalDropReason = 'no_credit' | 'unread' | 'stale';

/** Figures of a stream; rates and latency cover the last seconds. */
export interface StreamStats {
  /** Total number of frames sent and results consumed. */
  readonly sent: number;
  readonly consumed: number;
  /** The same per second. */
  readonly fpsIn: number;
  readonly fpsOut: number;
  /** Milliseconds from capture until the consumer was done with the result; undefined before the first. */
  readonly latency: { readonly p50: number; readonly p95: number } | undefined;
  /** Total number of frames dropped, by reason; reasons that did not occur are absent. */
  readonly dropped: Readonly<Partial<Record<DropReason | LocalDropReason, number>>>;
  /** Stage timings of the newest consumed result. */
  readonly timings: StageTimings | undefined;
  /** How the newest consumed result spent its time from capture to display; undefined with `mode: txt2img`. */
  readonly path: PathTimings | undefined;
  /** Shortest of the recent round trips to the server, in milliseconds; undefined before the first. */
  readonly roundTrip: number | undefined;
  /** Number of times that the connection was replaced, after a loss or a drain. */
  readonly reconnects: number;
}

/** Parts of the time from a frame's capture to its display, in milliseconds. */
export interface PathTimings {
  /** Until it arrived at the server: encoding, waiting for a credit, the network. */
  readonly upload: number;
  readonly server: number;
  readonly download: number;
  /** Until the consumer was done with the result. */
  readonly display: number;
}

/** Length of the window of rates and latency. */
const windowMs = 3000;

/** Collects the figures of one stream. `now` returns milliseconds of the clock of the frames' timestamps. */
export class Statistics {
  readonly #now: () => number;
  readonly #start: number;
  readonly #sentAt: number[] = [];
  readonly #consumedAt: number[] = [];
  readonly #latencies: { readonly time: number; readonly latency: number }[] = [];
  readonly #dropped: Partial<Record<DropReason | LocalDropReason, number>> = {};
  #sent = 0;
  #consumed = 0;
  #timings: StageTimings | undefined;
  #path: PathTimings | undefined;

  constructor(now: () => number) {
    this.#now = now;
    this.#start = now();
  }

  countSent(): void {
    this.#sent += 1;
    this.#sentAt.push(this.#now());
    this.#forget();
  }

  /**
   * @param arrived when the result arrived, by the clock of `now`.
   * @param made whether the server generated it without an input frame, so that there was no capture.
   */
  countConsumed({ captured, timings, times }: ResultMessage, arrived: number, made: boolean): void {
    const time = this.#now();
    this.#consumed += 1;
    this.#consumedAt.push(time);
    this.#timings = timings;
    this.#path = undefined;
    if (!made) {
      this.#latencies.push({ time, latency: time - captured });
      this.#path = {
        upload: times.received - captured,
        server: times.sent - times.received,
        download: arrived - times.sent,
        display: time - arrived,
      };
    }
    this.#forget();
  }

  countDropped(reason: DropReason | LocalDropReason): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
  }

  read(roundTrip: number | undefined, reconnects: number): StreamStats {
    this.#forget();
    const seconds = Math.max(1, Math.min(windowMs, this.#now() - this.#start)) / 1000;
    const latencies = this.#latencies.map(({ latency }) => latency).sort((a, b) => a - b);
    const p50 = quantile(latencies, 0.5);
    const p95 = quantile(latencies, 0.95);
    return {
      sent: this.#sent,
      consumed: this.#consumed,
      fpsIn: this.#sentAt.length / seconds,
      fpsOut: this.#consumedAt.length / seconds,
      latency: p50 === undefined || p95 === undefined ? undefined : { p50, p95 },
      dropped: { ...this.#dropped },
      timings: this.#timings,
      path: this.#path,
      roundTrip,
      reconnects,
    };
  }

  #forget(): void {
    const from = this.#now() - windowMs;
    for (const times of [this.#sentAt, this.#consumedAt]) {
      while (times[0] !== undefined && times[0] <= from) times.shift();
    }
    while (this.#latencies[0] !== undefined && this.#latencies[0].time <= from) this.#latencies.shift();
  }
}

/** Returns the nearest-rank quantile of ascending values. */
function quantile(rising: readonly number[], share: number): number | undefined {
  return rising[Math.max(0, Math.ceil(rising.length * share) - 1)];
}
