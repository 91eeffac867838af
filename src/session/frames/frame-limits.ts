/** The limits on the frames of a session. */
export interface FrameLimits {
  /** Frames that a client may have waiting. */
  readonly credits: number;
  readonly unacknowledgedResults: number;
  /** Largest input image in pixels. */
  readonly framePixels: number;
}
