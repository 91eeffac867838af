import type { Writable } from 'node:stream';
import type { Metrics } from '../metrics/metrics.js';
import type { Viewer } from '../session/live/audience.js';

const boundary = 'frame';

/** Media type of the body. */
export const multipartType = `multipart/x-mixed-replace; boundary=${boundary}`;

/**
 * Writes pictures as the parts of a body (multipart/x-mixed-replace, known as Motion JPEG): the newest one whenever the
 * network has taken all of the one before.
 */
export class MultipartViewer implements Viewer {
  readonly #body: Writable;
  readonly #metrics: Pick<Metrics, 'viewerPicture'>;
  #begun = false;
  #waiting: Uint8Array | null = null;

  /** @param body is written to from `begin` on. */
  constructor(body: Writable, metrics: Pick<Metrics, 'viewerPicture'>) {
    this.#body = body;
    this.#metrics = metrics;
  }

  begin(): void {
    this.#begun = true;
    this.#body.on('drain', () => this.#write());
    this.#body.write(`--${boundary}\r\n`);
    this.#write();
  }

  show(picture: Uint8Array): void {
    if (this.#waiting && this.#waiting !== picture) this.#metrics.viewerPicture('dropped', 0);
    this.#waiting = picture;
    if (this.#begun && !this.#body.writableNeedDrain) this.#write();
  }

  end(): void {
    this.#body.end();
  }

  #write(): void {
    const picture = this.#waiting;
    if (!picture || this.#body.writableEnded || this.#body.destroyed) return;
    this.#waiting = null;
    this.#body.cork();
    this.#body.write(`content-type: image/jpeg\r\ncontent-length: ${picture.length}\r\n\r\n`);
    this.#body.write(picture);
    // Browsers show a part when the next boundary has come.
    this.#body.write(`\r\n--${boundary}\r\n`);
    this.#body.uncork();
    this.#metrics.viewerPicture('sent', picture.length);
  }
}
