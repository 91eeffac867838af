import type { DropReason } from '@millrace/protocol';
import { ImageError } from '../../image/image.js';
import { FrameLedger, type Frame } from './frame-ledger.js';
import type { Outlet } from '../wire/outlet.js';

/**
 * What the client is told of its frames: each is answered exactly once, and gives its credit back once. With no
 * connection the books go on, and nobody is told.
 */
export class FrameAnswers {
  readonly #credits: number;
  readonly ledger: FrameLedger;
  #outlet: Outlet | null = null;
  #closed = false;

  /** @param credits frames that may be sent at first. */
  constructor(credits: number) {
    this.#credits = credits;
    this.ledger = new FrameLedger(credits);
  }

  /** Who is told; null while there is no connection. */
  get outlet(): Outlet | null {
    return this.#outlet;
  }

  /** A connection begins: answers go there, and credits are counted from 0 again. */
  connect(outlet: Outlet): void {
    this.#outlet = outlet;
    this.ledger.renew(this.#credits);
  }

  disconnect(): void {
    this.#outlet = null;
  }

  /** No frame is answered any more. */
  close(): void {
    this.#closed = true;
  }

  /** Enters the answer of a frame into the books. @returns false if it has one already. */
  answer(frame: Frame): boolean {
    return !this.#closed && this.ledger.answer(frame);
  }

  /** The frame has no result. @returns false if it was answered already. */
  drop(frame: Frame, reason: DropReason): boolean {
    if (!this.answer(frame)) return false;
    this.#outlet?.meter.frameDropped(reason);
    // The client knows nothing of the server's own frames until it has a result of them.
    if (frame.id >= 0) this.#outlet?.send({ type: 'dropped', id: frame.id, reason });
    return true;
  }

  /** The frame no longer waits: the client gets its credit back. */
  release(frame: Frame): void {
    if (this.ledger.release(frame)) this.#outlet?.send({ type: 'credit', total: this.ledger.total });
  }

  /** Tells why a frame could not be taken in. @returns the reason for which it is dropped. */
  explain({ id }: Frame, error: unknown): DropReason {
    if (error instanceof ImageError) {
      this.#outlet?.report('invalid_frame', error.message, { id });
      return 'invalid';
    }
    this.#outlet?.report('internal', 'the frame could not be taken in', { id }, error);
    return 'failed';
  }
}
