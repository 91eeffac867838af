import { stageNames, type DropReason, type RecentFigures, type StageTimings } from '@millrace/protocol';
import { Recent } from './recent.js';
import type { FrameTracer } from './frame-tracer.js';
import type { Series } from './series.js';

/** Totals of a session, for the log. */
export interface SessionTotals {
  /** Whether it was ever open. */
  readonly opened: boolean;
  readonly seconds: number;
  readonly frames_received: number;
  readonly frames_sent: number;
  readonly frames_dropped: number;
  readonly updates: number;
}

/** A result that was sent and not yet acknowledged. */
interface Underway {
  readonly sequence: number;
  readonly sent: number;
  readonly transit: number | null;
  readonly timings: StageTimings;
  readonly traced: boolean;
}

/** Measures one session: keeps what depends on the frame before, or on the beginning. */
export class SessionMeter {
  readonly #series: Series;
  readonly #now: () => number;
  readonly #begun: number;
  #opened = false;
  #ended = false;
  #lastSent: number | null = null;
  readonly #tracer: FrameTracer | null;
  /** Results that are on their way to the client. */
  readonly #unacknowledged: Underway[] = [];
  readonly #arrivals = new Recent();
  readonly #latencies = new Recent();
  readonly #staleness = new Recent();
  #framesReceived = 0;
  #framesSent = 0;
  #framesDropped = 0;
  #framesLost = 0;
  #updates = 0;

  /** @param now returns the milliseconds of a monotonic clock. @param tracer records traces of sampled frames. */
  constructor(
    series: Series,
    now: () => number = () => performance.now(),
    tracer: FrameTracer | null = null,
  ) {
    this.#series = series;
    this.#now = now;
    this.#tracer = tracer;
    this.#begun = now();
  }

  /** Measures how many milliseconds the session waited for its slot. */
  admitted(ms: number): void {
    this.#series.admission_wait_seconds.observe(ms / 1000);
  }

  /** Counts the session as open: frames can flow. */
  opened({ resumed }: { readonly resumed: boolean }): void {
    this.#opened = true;
    this.#series.sessions_total.inc({ result: resumed ? 'resumed' : 'opened' });
    if (resumed) this.#series.resumes_total.inc({ result: 'resumed' });
  }

  updated(): void {
    this.#updates += 1;
    this.#series.parameter_updates_total.inc();
  }

  frameReceived(): void {
    this.#framesReceived += 1;
    this.#arrivals.add(this.#now());
    this.#series.frames_received_total.inc();
  }

  /** Counts a frame that the engine has finished. */
  frameGenerated(): void {
    this.#series.frames_generated_total.inc();
  }

  frameDropped(reason: DropReason): void {
    this.#framesDropped += 1;
    this.#series.frames_dropped_total.inc({ reason });
    if (reason === 'similar') this.#series.similarity_skips_total.inc();
    else if (reason !== 'superseded') this.#framesLost += 1;
  }

  /**
   * Measures a result that was sent. `timings` in milliseconds. @param transit of its frame, from capture to arrival.
   */
  frameSent(sequence: number, timings: StageTimings, transit: number | null = null): void {
    const { total } = timings;
    const now = this.#now();
    const series = this.#series;
    this.#framesSent += 1;
    this.#latencies.add(now, total);
    const traced = this.#tracer?.sample() === true;
    this.#unacknowledged.push({ sequence, sent: now, transit, timings, traced });
    series.frames_sent_total.inc();
    series.frame_latency_seconds.observe(total / 1000);
    for (const stage of stageNames) series.frame_stage_seconds.observe({ stage }, timings[stage] / 1000);
    if (this.#lastSent === null) series.time_to_first_frame_seconds.observe((now - this.#begun) / 1000);
    else series.inter_frame_seconds.observe((now - this.#lastSent) / 1000);
    this.#lastSent = now;
  }

  /** Measures the results up to this one: the client has displayed or discarded them. */
  acknowledged(sequence: number): void {
    const now = this.#now();
    for (;;) {
      const result = this.#unacknowledged[0];
      if (result === undefined || result.sequence > sequence) return;
      this.#unacknowledged.shift();
      const staleness = now - result.sent + result.timings.total;
      this.#staleness.add(now, staleness);
      this.#series.frame_staleness_seconds.observe(staleness / 1000);
      this.#trace(result, now);
    }
  }

  /** Returns how the session performs now. */
  recent(): RecentFigures {
    const now = this.#now();
    const age = now - this.#begun;
    const latency = this.#latencies.quantiles(now, 0.5, 0.95);
    return {
      seconds: age / 1000,
      fpsIn: this.#arrivals.rate(now, age),
      fpsOut: this.#latencies.rate(now, age),
      latency: latency && { p50: latency[0], p95: latency[1] },
      staleness: this.#staleness.quantiles(now, 0.5)?.[0] ?? null,
      received: this.#framesReceived,
      sent: this.#framesSent,
      lost: this.#framesLost,
    };
  }

  /** Returns the totals of the session, which has ended. The first call counts it. */
  ended(): SessionTotals {
    const seconds = (this.#now() - this.#begun) / 1000;
    if (!this.#ended) {
      if (this.#opened) this.#series.session_duration_seconds.observe(seconds);
      else this.#series.sessions_total.inc({ result: 'failed' });
    }
    for (const result of this.#unacknowledged) this.#trace(result, null);
    this.#unacknowledged.length = 0;
    this.#ended = true;
    return {
      opened: this.#opened,
      seconds: Math.round(seconds * 1000) / 1000,
      frames_received: this.#framesReceived,
      frames_sent: this.#framesSent,
      frames_dropped: this.#framesDropped,
      updates: this.#updates,
    };
  }

  #trace({ traced, ...frame }: Underway, acknowledged: number | null): void {
    if (traced) this.#tracer?.record({ ...frame, acknowledged });
  }
}
