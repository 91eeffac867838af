import type { StageTimings } from '@millrace/protocol';

/** A frame that came through, and when. Points in time by `performance.now()`. */
export interface TracedFrame {
  /** Number of its result in its session. */
  readonly sequence: number;
  /** Milliseconds from its capture to its arrival, by the client's clock; null where that is not known. */
  readonly transit: number | null;
  /** Milliseconds in each stage until its result was sent. */
  readonly timings: StageTimings;
  readonly sent: number;
  /** When the client had displayed it; null if it never said so. */
  readonly acknowledged: number | null;
}

/** Takes the ways of some frames, as traces. */
export interface FrameTracer {
  /** Whether the next frame is one of them. */
  sample(): boolean;
  record(frame: TracedFrame): void;
}
