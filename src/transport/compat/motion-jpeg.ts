import type { ServerResponse } from 'node:http';
import { MultipartViewer, multipartType } from '../multipart-viewer.js';
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
  'content-type': multipartType,
  'cache-control': 'no-store',
  connection: 'close',
};

/** Shows the results of a stream as Motion JPEG. A viewer that reads slowly gets fewer pictures. */
export class MotionJpeg {
  readonly #onShown: (sequence: number) => void;
  readonly #viewers = new Set<MultipartViewer>();
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
    for (const viewer of this.#viewers) this.#feed(viewer, picture);
  }

  /** Adds a viewer, who gets the newest picture at once. @param userAgent by the header of this name. */
  add(response: ServerResponse, userAgent: string | undefined): void {
    // Browsers but Firefox show a part when the next one begins: with each twice, none is late.
    const twice = userAgent?.includes('Mozilla/') === true && !userAgent.includes('Firefox/');
    const viewer = new MultipartViewer(response, { twice });
    this.#viewers.add(viewer);
    response.once('close', () => this.#viewers.delete(viewer));
    response.on('error', () => response.destroy());
    response.writeHead(200, head);
    if (this.#newest) this.#feed(viewer, this.#newest);
    viewer.begin();
  }

  /** Ends all answers. */
  close(): void {
    for (const viewer of this.#viewers) viewer.end();
    this.#viewers.clear();
    this.#newest = null;
  }

  #feed(viewer: MultipartViewer, { data, sequence }: ShownPicture): void {
    viewer.show(data, () => this.#onShown(sequence));
  }
}
