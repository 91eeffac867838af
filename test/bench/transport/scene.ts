/** Width and height of the pictures. */
export const side = 512;

/** What a load generator is told to do, as JSON in its argument. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Frames a second of each connection; 0 for as many as go through. */
  readonly fps: number;
  /** What is before does not count. */
  readonly warmUpMs: number;
  readonly ms: number;
}

/** What a load generator found out, as JSON. */
export interface Passed {
  readonly results: number;
  readonly dropped: number;
  readonly seconds: number;
  /** Milliseconds from sending a frame to having its result; only with `fps`. */
  readonly latencies: readonly number[];
}
