import type { DropReason } from '@millrace/protocol';
import { ImageError } from '../../image/image.js';
import { FrameLedger, type Frame } from './frame-ledger.js';
import type { Outlet } from '../wire/outlet.js';

/**
 * Answers the frames of a client: each exactly once, and each returns its credit once. Without a connection, answers
 * are recorded but not sent.
 */
export class FrameAnswers {
  readonly #credits: number;
  readonly ledger: FrameLedger;
  #outlet: Outlet | null = null;
  #closed = false;

  /** @param credits frames that the client may send at first. */
  constructor(credits: number) {
    this.#credits = credits;
    this.ledger = new FrameLedger(credits);
  }

  /** Where answers are sent; null while there is no connection. */
  get outlet(): Outlet | null {
    return this.#outlet;
  }

  /** Sends answers over this connection from now on; credits are counted from 0 again. */
  connect(outlet: Outlet): void {
    this.#outlet = outlet;
    this.ledger.renew(this.#credits);
  }

  disconnect(): void {
    this.#outlet = null;
  }

  /** Answers no more frames. */
  close(): void {
    this.#closed = true;
  }

  /** Records that a frame is answered. @returns false if it already was. */
  answer(frame: Frame): boolean {
    return !this.#closed && this.ledger.answer(frame);
  }

  /** Answers a frame without a result. @returns false if it was answered already. */
  drop(frame: Frame, reason: DropReason): boolean {
    if (!this.answer(frame)) return false;
    this.#outlet?.meter.frameDropped(reason);
    // The client learns of the server's own frames by their results only.
    if (frame.id >= 0) this.#outlet?.send({ type: 'dropped', id: frame.id, reason });
    return true;
  }

  /** Returns the credit of a frame that no longer waits. */
  release(frame: Frame): void {
    if (this.ledger.release(frame)) this.#outlet?.send({ type: 'credit', total: this.ledger.total });
  }

  /** Reports why a frame could not be prepared. @returns the reason for the drop. */
  explain({ id }: Frame, error: unknown): DropReason {
    if (error instanceof ImageError) {
      this.#outlet?.report('invalid_frame', error.message, { id });
      return 'invalid';
    }
    this.#outlet?.report('internal', 'the frame could not be prepared', { id }, error);
    return 'failed';
  }
}
