import type { Image } from '../../image/image.js';
import type { Ffmpeg } from '../../video/ffmpeg.js';
import type { VideoInfo } from '../../video/probe.js';
import type { StreamForm } from '../../video/streams.js';
import type { LastFrame, Rational, Timing } from '../../video/timing.js';

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
  /** Its path or address, for messages. */
  readonly path: string;
  /** How many frames are expected; null if nobody knows. */
  readonly total: number | null;
  /** Whether its frames come in their own time, so that those that nobody takes are dropped. */
  readonly isLive: boolean;
  /** The file that ffmpeg reads; null for streams, and for pictures that are read without it. */
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

export interface InputOptions {
  /** Called only if ffmpeg is needed. */
  readonly ffmpeg: () => Promise<Ffmpeg>;
  /** Frames per second of pictures in a folder. */
  readonly rate: Rational;
  /** How a stream or a device is opened; absent: it says so itself. */
  readonly form?: StreamForm;
  /** Whether the input counts as live; null or absent: if it is a device or an endless stream. */
  readonly isLive?: boolean | null;
  /** Folder for a file from the web; absent: it is read as a stream. */
  readonly scratch?: () => Promise<string>;
  /** Ends a download. */
  readonly signal?: AbortSignal;
}
