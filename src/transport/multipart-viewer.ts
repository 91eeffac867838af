import type { Writable } from 'node:stream';
import type { Metrics } from '../metrics/metrics.js';
import type { Viewer } from '../session/live/audience.js';

const boundary = 'frame';

/** Media type of the body. */
export const multipartType = `multipart/x-mixed-replace; boundary=${boundary}`;

export interface MultipartViewerOptions {
  /** Counts the pictures; absent: nobody does. */
  readonly metrics?: Pick<Metrics, 'viewerPicture'>;
  /** Whether each picture is sent in two parts: Chromium shows one only when the head of the next has come. */
  readonly twice?: boolean;
}

/** A picture that the network has not been given yet. */
interface Waiting {
  readonly picture: Uint8Array;
  readonly onTaken: () => void;
}

/**
 * Writes pictures as the parts of a body (multipart/x-mixed-replace, known as Motion JPEG): the newest one whenever the
 * network has taken all of the one before.
 */
export class MultipartViewer implements Viewer {
  readonly #body: Writable;
  readonly #metrics: MultipartViewerOptions['metrics'];
  readonly #twice: boolean;
  /** Whether the next picture must wait: before the beginning, and while the network takes the last one. */
  #busy = true;
  #waiting: Waiting | null = null;

  /** @param body is written to from `begin` on. */
  constructor(body: Writable, { metrics, twice = false }: MultipartViewerOptions) {
    this.#body = body;
    this.#metrics = metrics;
    this.#twice = twice;
  }

  begin(): void {
    this.#body.write(`--${boundary}\r\n`);
    this.#busy = false;
    this.#write();
  }

  /** @param onTaken is called when the network has taken the picture. */
  show(picture: Uint8Array, onTaken: () => void = () => {}): void {
    if (this.#waiting && this.#waiting.picture !== picture) this.#metrics?.viewerPicture('dropped', 0);
    this.#waiting = { picture, onTaken };
    this.#write();
  }

  end(): void {
    this.#body.end();
  }

  /** Writes the waiting picture, if it need not wait any more. */
  #write(): void {
    const waiting = this.#waiting;
    if (!waiting || this.#busy || this.#body.writableEnded || this.#body.destroyed) return;
    const { picture, onTaken } = waiting;
    this.#waiting = null;
    this.#busy = true;
    this.#body.cork();
    if (this.#twice) this.#writePart(picture);
    this.#writePart(picture, (error) => {
      this.#busy = false;
      if (error) return;
      onTaken();
      this.#write();
    });
    this.#body.uncork();
    this.#metrics?.viewerPicture('sent', picture.length);
  }

  #writePart(picture: Uint8Array, done?: (error?: Error | null) => void): void {
    // So written, since programs exist that compare these names as they are.
    this.#body.write(`Content-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`);
    this.#body.write(picture);
    // Some programs show a part only when the next boundary has come.
    this.#body.write(`\r\n--${boundary}\r\n`, done);
  }
}
