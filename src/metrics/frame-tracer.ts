import type { StageTimings } from '@millrace/protocol';

/** A frame with a result. Points in time by `performance.now()`. */
export interface TracedFrame {
  /** Number of its result in its session. */
  readonly sequence: number;
  /** Milliseconds from its capture to its arrival, by the client's clock; null if unknown. */
  readonly transit: number | null;
  /** Milliseconds in each stage until its result was sent. */
  readonly timings: StageTimings;
  readonly sent: number;
  /** When the client had displayed it; null if it never acknowledged it. */
  readonly acknowledged: number | null;
}

/** Records traces of sampled frames. */
export interface FrameTracer {
  /** Returns whether to trace the next frame. */
  sample(): boolean;
  record(frame: TracedFrame): void;
}
