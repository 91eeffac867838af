import type { Image } from '../../image/image.js';
import type { VideoInfo } from '../../video/probe.js';
import type { LastFrame, Timing } from '../../video/timing.js';

export interface InputFrame {
  /** The memory may be used again once the next frame is asked for. */
  readonly image: Image;
  /** When it is shown, in ticks of the input's timebase. */
  readonly time: number;
  /** File name of the picture, null for a frame of a video. */
  readonly name: string | null;
}

export interface Input extends Timing {
  readonly kind: 'video' | 'folder' | 'image';
  readonly path: string;
  /** How many frames are expected. */
  readonly total: number;
  /** What ffmpeg reads; null for pictures and animations that it does not. */
  readonly video: VideoInfo | null;
  /** Of a video or animation, in ticks of the timebase. */
  readonly last: LastFrame | null;
  /** Names of what a folder holds besides the pictures that were read; complete once all frames are. */
  readonly passedOver: readonly string[];
  /**
   * All frames, in order.
   * @param onDamage told at the end what was wrong with a video that could be decoded in part.
   * @throws {RunError | VideoError}
   */
  frames(onDamage?: (words: string) => void): AsyncIterable<InputFrame>;
}
