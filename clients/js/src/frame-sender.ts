import type { Connection } from './connection.js';
import { MillraceError } from './errors.js';
import { Outbox } from './outbox.js';

export interface OutgoingFrame {
  readonly id: number;
  /** Milliseconds of the stream's clock. */
  readonly captured: number;
  readonly data: Uint8Array | Blob;
}

interface SenderOwner {
  /** The frame is on its way to the server. */
  sent(id: number): void;
  /** A newer frame took its place before the server allowed it. */
  displaced(id: number): void;
  failed(error: MillraceError): void;
}

/** Sends the newest frame when the server allows one; a Blob is read first, and frames stay in order meanwhile. */
export class FrameSender {
  readonly #owner: SenderOwner;
  readonly #outbox = new Outbox<OutgoingFrame>();
  #connection: Connection;
  #reading = false;

  constructor(connection: Connection, owner: SenderOwner) {
    this.#connection = connection;
    this.#owner = owner;
  }

  /** Frames that would be sent at once. */
  get credits(): number {
    return this.#outbox.credits;
  }

  /** Goes on over this connection, with so many credits. */
  adopt(connection: Connection, credits: number): void {
    this.#connection = connection;
    this.#outbox.restart(credits);
    this.#flush();
  }

  /** There is no connection now: the newest frame waits. */
  suspend(): void {
    this.#outbox.restart(0);
  }

  /** The server allows `total` frames since the connection was ready. */
  allow(total: number): void {
    this.#outbox.allow(total);
    this.#flush();
  }

  send(frame: OutgoingFrame): void {
    const displaced = this.#outbox.put(frame);
    if (displaced !== undefined) this.#owner.displaced(displaced.id);
    this.#flush();
  }

  #flush(): void {
    while (!this.#reading) {
      const frame = this.#outbox.take();
      if (frame === undefined) return;
      if (frame.data instanceof Uint8Array) this.#transmit(frame, frame.data);
      else void this.#readAndTransmit(frame, frame.data);
    }
  }

  async #readAndTransmit(frame: OutgoingFrame, blob: Blob): Promise<void> {
    const connection = this.#connection;
    this.#reading = true;
    try {
      const bytes = new Uint8Array(await blob.arrayBuffer());
      if (connection === this.#connection) this.#transmit(frame, bytes);
      else this.#postpone(frame);
    } catch (cause) {
      if (connection === this.#connection) this.#outbox.refund();
      this.#owner.failed(new MillraceError('invalid_frame', { cause, frame: frame.id }));
    }
    this.#reading = false;
    this.#flush();
  }

  #transmit({ id, captured }: OutgoingFrame, data: Uint8Array): void {
    this.#connection.send({ type: 'frame', id, captured, data });
    this.#owner.sent(id);
  }

  /** The frame was taken for a connection that is gone. */
  #postpone(frame: OutgoingFrame): void {
    const late = this.#outbox.putBack(frame);
    if (late !== undefined) this.#owner.displaced(late.id);
  }
}
