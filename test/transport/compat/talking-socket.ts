import { EventEmitter, once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';

/** What came: text, or bytes. */
export type Heard = string | Uint8Array;

/** A WebSocket that keeps all that it received. */
export class TalkingSocket implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly heard: Heard[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #arrivals = new EventEmitter();

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options);
    this.socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.heard.push(isBinary ? new Uint8Array(data) : data.toString());
      this.#arrivals.emit('message');
    });
    // A close always follows.
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) =>
      this.socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  async open(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }

  /** Calls `look` again at each message, until it finds something. */
  async until<Found>(look: (heard: readonly Heard[]) => Found | undefined): Promise<Found> {
    for (;;) {
      const found = look(this.heard);
      if (found !== undefined) return found;
      const ended = await Promise.race([once(this.#arrivals, 'message').then(() => null), this.closed]);
      if (ended && look(this.heard) === undefined) {
        throw new Error(`the connection ended: ${ended.code} ${ended.reason}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}
