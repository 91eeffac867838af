import type { DropReason, StageTimings } from '@millrace/protocol';

/**
 * Frames that this side dropped: `no_credit` was displaced by a newer one before the server allowed another,
 * `unread` is a result that came while the consumer was busy and was displaced by a newer one.
 */
export type LocalDropReason = 'no_credit' | 'unread';

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
}

/** Length of the window of rates and latency in milliseconds. */
const windowLength = 3000;

/** Keeps the figures of one stream. `now` is in milliseconds, of the clock that frames are stamped with. */
export class Statistics {
  readonly #now: () => number;
  readonly #start: number;
  readonly #sentAt: number[] = [];
  readonly #consumedAt: { readonly time: number; readonly latency: number }[] = [];
  readonly #dropped: Partial<Record<DropReason | LocalDropReason, number>> = {};
  #sent = 0;
  #consumed = 0;
  #timings: StageTimings | undefined;

  constructor(now: () => number) {
    this.#now = now;
    this.#start = now();
  }

  countSent(): void {
    this.#sent += 1;
    this.#sentAt.push(this.#now());
    this.#forget();
  }

  countConsumed(captured: number, timings: StageTimings): void {
    const time = this.#now();
    this.#consumed += 1;
    this.#consumedAt.push({ time, latency: time - captured });
    this.#timings = timings;
    this.#forget();
  }

  countDropped(reason: DropReason | LocalDropReason): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + 1;
  }

  read(): StreamStats {
    this.#forget();
    const seconds = Math.max(1, Math.min(windowLength, this.#now() - this.#start)) / 1000;
    const latencies = this.#consumedAt.map(({ latency }) => latency).sort((a, b) => a - b);
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
    };
  }

  #forget(): void {
    const from = this.#now() - windowLength;
    while (this.#sentAt[0] !== undefined && this.#sentAt[0] <= from) this.#sentAt.shift();
    while (this.#consumedAt[0] !== undefined && this.#consumedAt[0].time <= from) this.#consumedAt.shift();
  }
}

/** Nearest-rank quantile of rising values. */
function quantile(rising: readonly number[], share: number): number | undefined {
  return rising[Math.max(0, Math.ceil(rising.length * share) - 1)];
}
