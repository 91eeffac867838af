import type { MillraceStream } from '../stream.js';
import { frameShape } from './frame-shape.js';

export interface VideoSourceOptions {
  /** JPEG quality, 0 to 1. */
  readonly quality?: number | undefined;
  /** Mirrors the picture; for cameras that face the user. */
  readonly mirror?: boolean | undefined;
}

/**
 * Sends the frames of a playing video element (a file, or a MediaStream as its srcObject) to a stream.
 * A frame is captured only if the stream has a credit and the previous frame is encoded, so no backlog can build up;
 * it is scaled to the size of the stream's output and, as far as the parameter `fit` leaves it to the client, fitted.
 */
export class VideoSource implements Disposable {
  readonly #stream: MillraceStream;
  readonly #video: HTMLVideoElement;
  readonly #quality: number;
  readonly #mirror: boolean;
  readonly #canvas = new OffscreenCanvas(1, 1);
  #callback: number;
  #encoding = false;
  #stopped = false;

  constructor(stream: MillraceStream, video: HTMLVideoElement, options: VideoSourceOptions = {}) {
    this.#stream = stream;
    this.#video = video;
    this.#quality = options.quality ?? 0.8;
    this.#mirror = options.mirror ?? false;
    this.#callback = video.requestVideoFrameCallback(this.#present);
  }

  /** Stops sending frames; does not change the video element. */
  stop(): void {
    this.#stopped = true;
    this.#video.cancelVideoFrameCallback(this.#callback);
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  readonly #present = (now: number, { captureTime }: VideoFrameCallbackMetadata): void => {
    if (this.#stopped || this.#stream.closed) return;
    this.#callback = this.#video.requestVideoFrameCallback(this.#present);
    if (this.#encoding || this.#stream.credits === 0 || this.#video.videoWidth === 0) return;
    void this.#send(captureTime ?? now);
  };

  async #send(captured: number): Promise<void> {
    this.#encoding = true;
    try {
      this.#draw();
      const data = await this.#canvas.convertToBlob({ type: 'image/jpeg', quality: this.#quality });
      if (!this.#stopped && !this.#stream.closed) this.#stream.send(data, { captured });
    } catch (error) {
      // The next frame would fail too.
      this.stop();
      throw error;
    } finally {
      this.#encoding = false;
    }
  }

  #draw(): void {
    const video = { width: this.#video.videoWidth, height: this.#video.videoHeight };
    const { from, width, height } = frameShape(video, this.#stream.parameters);
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const context = this.#canvas.getContext('2d', { alpha: false });
    if (context === null) throw new TypeError('this browser does not support 2D canvas contexts');
    context.setTransform(this.#mirror ? -1 : 1, 0, 0, 1, this.#mirror ? width : 0, 0);
    context.drawImage(this.#video, from.x, from.y, from.width, from.height, 0, 0, width, height);
  }
}
