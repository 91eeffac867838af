/** Width and height of the pictures. */
export const side = 512;

/** The task of a load generator, as JSON in its argument. */
export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Frames a second of each connection; 0 for as many as possible. */
  readonly fps: number;
  /** Not measured. */
  readonly warmUpMs: number;
  readonly ms: number;
}

/** The results of a load generator, as JSON. */
export interface Passed {
  readonly results: number;
  readonly dropped: number;
  readonly seconds: number;
  /** Milliseconds from sending a frame to receiving its result; only with `fps`. */
  readonly latencies: readonly number[];
}
