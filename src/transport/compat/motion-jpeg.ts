import type { ServerResponse } from 'node:http';
import { securityHeaders } from '../security-headers.js';

/** A result of a stream. */
export interface ShownPicture {
  readonly sequence: number;
  /** A JPEG file. */
  readonly data: Uint8Array;
}

/** Viewers of one stream at the same time. */
const mostViewers = 4;
const head = {
  ...securityHeaders,
  'content-type': 'multipart/x-mixed-replace;boundary=frame',
  'cache-control': 'no-store',
  connection: 'close',
};

/** One HTTP answer that goes on for as long as the stream does. */
interface Viewer {
  readonly response: ServerResponse;
  /** Browsers but Firefox show a part when the next one begins: with each twice, none is late. */
  readonly twice: boolean;
  /** Whether the network has not yet taken the last picture. */
  busy: boolean;
  /** The sequence of the last picture that it got. */
  shown: number;
}

/** Shows the results of a stream as Motion JPEG. A viewer that reads slowly gets fewer pictures. */
export class MotionJpeg {
  readonly #onShown: (sequence: number) => void;
  readonly #viewers = new Set<Viewer>();
  #newest: ShownPicture | null = null;

  /** @param onShown is called when the first viewer has taken a picture. */
  constructor(onShown: (sequence: number) => void) {
    this.#onShown = onShown;
  }

  /** Whether another viewer may come. */
  get hasRoom(): boolean {
    return this.#viewers.size < mostViewers;
  }

  /** Shows a picture; without a viewer, it waits for the first one. */
  show(picture: ShownPicture): void {
    this.#newest = picture;
    for (const viewer of this.#viewers) this.#feed(viewer);
  }

  /** Adds a viewer, who gets the newest picture at once. @param userAgent by the header of this name. */
  add(response: ServerResponse, userAgent: string | undefined): void {
    const browser = userAgent?.includes('Mozilla/') === true && !userAgent.includes('Firefox/');
    const viewer: Viewer = { response, twice: browser, busy: false, shown: 0 };
    this.#viewers.add(viewer);
    response.once('close', () => this.#viewers.delete(viewer));
    response.on('error', () => response.destroy());
    response.writeHead(200, head);
    response.flushHeaders();
    this.#feed(viewer);
  }

  /** Ends all answers. */
  close(): void {
    for (const { response } of this.#viewers) response.end();
    this.#viewers.clear();
    this.#newest = null;
  }

  #feed(viewer: Viewer): void {
    const picture = this.#newest;
    if (picture === null || viewer.busy || viewer.shown === picture.sequence) return;
    viewer.busy = true;
    viewer.shown = picture.sequence;
    const part = partOf(picture.data);
    viewer.response.write(viewer.twice ? Buffer.concat([part, part]) : part, (error) => {
      viewer.busy = false;
      if (error) return;
      this.#onShown(picture.sequence);
      this.#feed(viewer);
    });
  }
}

function partOf(data: Uint8Array): Buffer {
  const lines = ['--frame', 'Content-Type: image/jpeg', `Content-Length: ${data.length}`, '', ''];
  return Buffer.concat([Buffer.from(lines.join('\r\n')), data, Buffer.from('\r\n')]);
}
