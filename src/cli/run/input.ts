import type { Image } from '../../image/image.js';
import type { VideoInfo } from '../../video/probe.js';
import type { LastFrame, Timing } from '../../video/timing.js';

export interface InputFrame {
  /** The memory may be reused once the next frame is requested. */
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
  /** The video that ffmpeg reads; null for pictures and animations that are read without it. */
  readonly video: VideoInfo | null;
  /** Of a video or animation, in ticks of the timebase. */
  readonly last: LastFrame | null;
  /** Names of files in a folder that were not read as pictures; complete once all frames are read. */
  readonly passedOver: readonly string[];
  /**
   * Yields all frames, in order.
   * @param onDamage called at the end with the fault of a video that could only be decoded in part.
   * @throws {RunError | VideoError}
   */
  frames(onDamage?: (words: string) => void): AsyncIterable<InputFrame>;
}
