import type { Connection } from './connection.js';
import type { Opened } from './dialler.js';
import { MillraceError } from './errors.js';
import { frameBytes, tooLarge, type FramePicture } from './message-size.js';
import { Outbox } from './outbox.js';

export interface SendOptions {
  /** Time of capture, in milliseconds of `performance.now()`; default now. */
  readonly captured?: number | undefined;
  /**
   * Where the picture changes, from black (it stays) to white: a JPEG, PNG or WebP file, for this picture only. It takes
   * precedence over the parameter `mask`.
   */
  readonly mask?: FramePicture | undefined;
  /** Pictures for controls of the model (the parameter `controls`), by the control's name: JPEG, PNG or WebP files. */
  readonly controls?: Readonly<Record<string, FramePicture>> | undefined;
}

interface OutgoingFrame {
  readonly id: number;
  /** Milliseconds of the stream's clock. */
  readonly captured: number;
  readonly data: FramePicture;
  readonly mask?: FramePicture | undefined;
  /** Pictures of controls, by the control's name. */
  readonly controls?: Readonly<Record<string, FramePicture>> | undefined;
}

interface SenderOwner {
  /** Called when a frame was sent to the server. */
  sent(id: number): void;
  /** Called when a newer frame replaced one that had no credit yet. */
  displaced(id: number): void;
  /** Called when a frame could not be sent; it costs no credit. */
  refused(id: number, error: MillraceError): void;
}

/** Sends the newest frame when there is a credit; a Blob is read first, and frames stay in order. */
export class FrameSender {
  readonly #owner: SenderOwner;
  readonly #outbox = new Outbox<OutgoingFrame>();
  #connection: Connection;
  /** Maximum bytes of a message. */
  #largest: number;
  #reading = false;

  constructor({ connection, ready }: Opened, owner: SenderOwner) {
    this.#connection = connection;
    this.#largest = ready.limits.message_bytes;
    this.#owner = owner;
  }

  /** Number of frames that would be sent at once. */
  get credits(): number {
    return this.#outbox.credits;
  }

  /**
   * Continues over this connection.
   * @param credits initial number of frames that may be sent.
   * @param largest maximum bytes of a message.
   */
  adopt(connection: Connection, credits: number, largest: number): void {
    this.#connection = connection;
    this.#largest = largest;
    this.#outbox.restart(credits);
    this.#flush();
  }

  /** Stops sending while there is no connection; the newest frame waits. */
  suspend(): void {
    this.#outbox.restart(0);
  }

  /** Sends no frame until `goOn` or `adopt`; the newest waits. */
  hold(): void {
    this.#outbox.close();
  }

  /** Sends frames again after `hold`. */
  goOn(): void {
    this.#outbox.open();
    this.#flush();
  }

  /** Raises the number of frames allowed since the connection was ready to `total`. */
  allow(total: number): void {
    this.#outbox.allow(total);
    this.#flush();
  }

  /** @throws {MillraceError} message_too_large */
  send(frame: OutgoingFrame): void {
    if (!this.#fits(frame)) throw this.#tooLarge(frame);
    const displaced = this.#outbox.put(frame);
    if (displaced !== undefined) this.#owner.displaced(displaced.id);
    this.#flush();
  }

  #flush(): void {
    while (!this.#reading) {
      const frame = this.#outbox.take();
      if (frame === undefined) return;
      // The server, and its limit, may have changed since `send`.
      if (!this.#fits(frame)) this.#refuse(frame, this.#tooLarge(frame));
      else if (isRead(frame)) this.#transmit(frame);
      else void this.#readAndTransmit(frame);
    }
  }

  async #readAndTransmit(frame: OutgoingFrame): Promise<void> {
    const connection = this.#connection;
    this.#reading = true;
    try {
      const read = await readPictures(frame);
      if (connection !== this.#connection) this.#postpone(frame);
      else if (this.#outbox.closed) this.#keep(frame);
      else this.#transmit(read);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const error = new MillraceError('invalid_frame', {
        message: `The picture could not be read: ${why}`,
        cause,
        frame: frame.id,
      });
      if (connection === this.#connection) this.#refuse(frame, error);
      else this.#owner.refused(frame.id, error);
    }
    this.#reading = false;
    this.#flush();
  }

  #transmit({ id, captured, data, mask, controls }: ReadFrame): void {
    const others = { ...(mask && { mask }), ...(controls && { controls }) };
    this.#connection.send({ type: 'frame', id, captured, ...others, data });
    this.#owner.sent(id);
  }

  #fits(frame: OutgoingFrame): boolean {
    return frameBytes(frame) <= this.#largest;
  }

  #tooLarge({ id }: OutgoingFrame): MillraceError {
    return tooLarge('The picture', this.#largest, id);
  }

  /** Discards a frame that was taken for this connection. */
  #refuse({ id }: OutgoingFrame, error: MillraceError): void {
    this.#outbox.refund();
    this.#owner.refused(id, error);
  }

  /** Puts back a frame that was taken before `hold`. */
  #keep(frame: OutgoingFrame): void {
    this.#outbox.refund();
    this.#postpone(frame);
  }

  /** Puts back a frame that was taken for a connection that is gone. */
  #postpone(frame: OutgoingFrame): void {
    const late = this.#outbox.putBack(frame);
    if (late !== undefined) this.#owner.displaced(late.id);
  }
}

/** A frame whose pictures are in memory. */
interface ReadFrame extends OutgoingFrame {
  readonly data: Uint8Array;
  readonly mask?: Uint8Array | undefined;
  readonly controls?: Readonly<Record<string, Uint8Array>> | undefined;
}

function isRead(frame: OutgoingFrame): frame is ReadFrame {
  const pictures = [frame.data, frame.mask, ...Object.values(frame.controls ?? {})];
  return pictures.every((picture) => picture === undefined || picture instanceof Uint8Array);
}

async function readPictures(frame: OutgoingFrame): Promise<ReadFrame> {
  const data = await readPicture(frame.data);
  const mask = frame.mask && (await readPicture(frame.mask));
  if (frame.controls === undefined) return { ...frame, data, mask, controls: undefined };
  const reading = Object.entries(frame.controls).map(
    async ([name, picture]) => [name, await readPicture(picture)] as const,
  );
  return { ...frame, data, mask, controls: Object.fromEntries(await Promise.all(reading)) };
}

async function readPicture(picture: FramePicture): Promise<Uint8Array> {
  return picture instanceof Uint8Array ? picture : new Uint8Array(await picture.arrayBuffer());
}
