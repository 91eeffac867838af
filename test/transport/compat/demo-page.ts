import { randomUUID } from 'node:crypto';
import type { ClientOptions } from 'ws';
import { TalkingSocket } from './talking-socket.js';

interface Status {
  readonly status: string;
  readonly message?: string;
}

export interface DemoPageOptions extends ClientOptions {
  readonly id?: string;
  /** Added to the address of the WebSocket. */
  readonly query?: string;
}

/**
 * Does what the pages of Real-Time LCM and StreamDiffusion do (lcmLive.ts there): opens a WebSocket by a UUID of its own
 * and, whenever it is asked, sends the words next_frame, its parameters, and its newest picture.
 */
export class DemoPage implements AsyncDisposable {
  readonly id: string;
  readonly talk: TalkingSocket;
  parameters: object;
  picture: Uint8Array;
  /** Pictures that it was asked for. */
  asked = 0;
  readonly #url: string;

  constructor(url: string, parameters: object, picture: Uint8Array, options: DemoPageOptions = {}) {
    const { id = randomUUID(), query = '', ...own } = options;
    this.id = id;
    this.#url = url;
    this.parameters = parameters;
    this.picture = picture;
    this.talk = new TalkingSocket(`${url.replace('http', 'ws')}/api/ws/${id}${query}`, own);
    this.talk.socket.on('message', (data: Buffer) => {
      const { status } = JSON.parse(data.toString()) as Status;
      if (status !== 'send_frame') return;
      this.asked += 1;
      this.talk.socket.send(JSON.stringify({ status: 'next_frame' }));
      this.talk.socket.send(JSON.stringify(this.parameters));
      this.talk.socket.send(this.picture);
    });
  }

  get statuses(): readonly Status[] {
    return this.talk.heard.map((text) => JSON.parse(String(text)) as Status);
  }

  /** Waits for the first message with this status. */
  async status(name: string): Promise<Status> {
    return this.talk.until(() => this.statuses.find(({ status }) => status === name));
  }

  /** Yields the pictures of the stream, as an image element with this address shows them. */
  async *pictures(userAgent = 'curl/8'): AsyncGenerator<Uint8Array> {
    const headers = { 'user-agent': userAgent };
    const answer = await fetch(`${this.#url}/api/stream/${this.id}`, { headers });
    const [, boundary] = /^multipart\/x-mixed-replace; ?boundary=(\S+)$/.exec(
      answer.headers.get('content-type') ?? '',
    ) ?? [undefined, 'none'];
    let rest = Buffer.alloc(0);
    for await (const chunk of answer.body ?? []) {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const end = rest.indexOf('\r\n\r\n');
        if (end < 0) break;
        const head = rest.subarray(0, end).toString();
        const length = Number(/^Content-Length: (\d+)$/m.exec(head)?.[1]);
        if (!head.startsWith(`--${boundary}\r\n`) || !/^Content-Type: image\/jpeg$/m.test(head)) {
          throw new Error(`not the head of a part: ${head}`);
        }
        if (rest.length < end + 4 + length + 2) break;
        yield new Uint8Array(rest.subarray(end + 4, end + 4 + length));
        rest = rest.subarray(end + 4 + length + 2);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.talk[Symbol.asyncDispose]();
  }
}

/** Returns the first pictures. */
export async function take(pictures: AsyncGenerator<Uint8Array>, count: number): Promise<Uint8Array[]> {
  const taken: Uint8Array[] = [];
  for await (const picture of pictures) {
    taken.push(picture);
    if (taken.length === count) break;
  }
  return taken;
}
