import type { DropReason, ResultMessage, StageTimings } from '@millrace/protocol';

/**
 * Frames that this side dropped: `no_credit` was displaced by a newer one before the server allowed another,
 * `unread` is a result that came while the consumer was busy and was displaced by a newer one, and `stale` one that
 * lay in buffers while this side was held up (the server has the same word for what lay there).
 */
export type LocalDropReason = 'no_credit' | 'unread' | 'stale';

/** Figures of a stream; rates and latency are those of the last seconds. */
export interface StreamStats {
  /** Frames sent and results consumed, in all. */
  readonly sent: number;
  readonly consumed: number;
  /** The same per second. */
  readonly fpsIn: number;
  readonly fpsOut: number;
  /** Milliseconds from capture until the consumer was done with the result; undefined before the first. */
  readonly latency: { readonly p50: number; readonly p95: number } | undefined;
  /** Frames dropped in all, by reason; reasons that did not occur are absent. */
  readonly dropped: Readonly<Partial<Record<DropReason | LocalDropReason, number>>>;
  /** Stage timings of the newest consumed result. */
  readonly timings: StageTimings | undefined;
  /** Where the time from capture to display of the newest consumed result went; undefined with `mode: txt2img`. */
  readonly path: PathTimings | undefined;
  /** Milliseconds to the server and back, the shortest of the last; undefined before the first. */
  readonly roundTrip: number | undefined;
  /** How often the connection was replaced, after a loss or because a server drained. */
  readonly reconnects: number;
}

/** The way of one frame in milliseconds, from its capture on. */
export interface PathTimings {
  /** Until it arrived at the server: encoding, waiting for a credit, the network. */
  readonly upload: number;
  readonly server: number;
  readonly download: number;
  /** Until the consumer was done with the result. */
  readonly display: number;
}

/** Length of the window of rates and latency in milliseconds. */
const windowLength = 3000;

/** Keeps the figures of one stream. `now` is in milliseconds, of the clock that frames are stamped with. */
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
   * @param arrived when the result came, by the clock of `now`.
   * @param made whether the server made it of nothing: then it was never captured.
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
    const seconds = Math.max(1, Math.min(windowLength, this.#now() - this.#start)) / 1000;
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
    const from = this.#now() - windowLength;
    for (const times of [this.#sentAt, this.#consumedAt]) {
      while (times[0] !== undefined && times[0] <= from) times.shift();
    }
    while (this.#latencies[0] !== undefined && this.#latencies[0].time <= from) this.#latencies.shift();
  }
}

/** Nearest-rank quantile of rising values. */
function quantile(rising: readonly number[], share: number): number | undefined {
  return rising[Math.max(0, Math.ceil(rising.length * share) - 1)];
}
