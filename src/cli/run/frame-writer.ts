import type { Image } from '../../image/image.js';
import { type Ffmpeg, VideoError } from '../../video/ffmpeg.js';
import { VideoWriter, type VideoWriterOptions } from '../../video/write.js';

interface FrameWriterOptions extends Omit<VideoWriterOptions, 'width' | 'height' | 'start'> {
  /** The output, for messages. */
  readonly name: string;
  /** Returns a message of ffmpeg as the user is to see it. */
  readonly tell: (message: string) => string;
}

/** Writes a video whose size and start are those of its first frame. Faults name the output. */
export class FrameWriter implements AsyncDisposable {
  readonly #ffmpeg: Ffmpeg;
  readonly #options: FrameWriterOptions;
  #writer: VideoWriter | null = null;

  constructor(ffmpeg: Ffmpeg, options: FrameWriterOptions) {
    this.#ffmpeg = ffmpeg;
    this.#options = options;
  }

  /** Writes a frame; its memory may be changed once the promise has settled. @throws {VideoError} */
  async write(image: Image, time: number): Promise<void> {
    const { width, height } = image;
    this.#writer ??= new VideoWriter(this.#ffmpeg, { ...this.#options, width, height, start: time });
    await this.named(this.#writer.write(image, time));
  }

  /** Ends the video. @throws {VideoError} */
  async finish(): Promise<void> {
    if (this.#writer) await this.named(this.#writer.finish());
  }

  /** Waits for work of ffmpeg on the output. @throws {VideoError} that names the output. */
  async named(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof VideoError)) throw error;
      const { name, tell } = this.#options;
      throw new VideoError(`${name} cannot be written: ${tell(error.message)}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer?.[Symbol.asyncDispose]();
  }
}
