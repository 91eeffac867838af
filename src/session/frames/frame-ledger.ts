import type { DropReason } from '@millrace/protocol';
import type { Outlet } from '../wire/outlet.js';

/** One input frame between its arrival and its answer. Only the ledger changes it. */
export interface Frame {
  /** Set by the client; negative for frames that the server creates. */
  readonly id: number;
  /** Milliseconds of the client's clock, as sent; 0 for the server's own frames. */
  readonly captured: number;
  /** Milliseconds of `performance.now()`. */
  readonly arrivedAt: number;
  /** Where it is: in the session, in the engine, or in the session again as a result. */
  place: 'input' | 'engine' | 'output';
  /** Milliseconds from the arrival until it was handed to the engine: waiting, and decoding. */
  inputMs: number;
  /** Milliseconds from then until the engine took it up. */
  queueMs: number;
  /** JPEG quality of its result. */
  quality: number;
}

/** What a resume token carries of a frame under way, besides the state of the engine. */
export interface CarriedFrame {
  readonly id: number;
  readonly captured: number;
}

/**
 * Returns the id that the client sees. The server's own frames count down from -1 internally, apart from the client's,
 * and up from 0 for the client.
 */
export function publicId(id: number): number {
  return id < 0 ? -1 - id : id;
}

/**
 * Records where each frame of a session is, and answers each exactly once. Ids rise over all connections of the
 * session. A frame costs one credit, which is returned once, when the frame stops waiting for whatever reason; credits
 * are counted per connection. Without a connection, everything is recorded, and nothing is sent. All times are by
 * `performance.now()`.
 *
 * receive -> begin -> enter -> admit -> finish -> answer, or at any time drop
 */
export class FrameLedger {
  readonly #credits: number;
  /** Frames without an answer. */
  readonly #frames = new Map<number, Frame>();
  /** Frames that hold a credit. */
  readonly #waiting = new Set<Frame>();
  /** Frames on their way from the mailbox to their first row in the engine. */
  readonly #notAdmitted = new Set<Frame>();
  #onAllAdmitted: (() => void) | null = null;
  #outlet: Outlet | null = null;
  #lastId = -1;
  #nextOwnId = -1;
  #received = 0;
  #total: number;
  #lastActivityAt = performance.now();

  /** @param credits frames that the client may send at first. */
  constructor(credits: number) {
    this.#credits = credits;
    this.#total = credits;
  }

  /** Where answers are sent; null while there is no connection. */
  get outlet(): Outlet | null {
    return this.#outlet;
  }

  /** Frames that the client may send in total over this connection. */
  get total(): number {
    return this.#total;
  }

  /** Whether the client has sent more frames than it had credits for. */
  get overdrawn(): boolean {
    return this.#received > this.#total;
  }

  /** The lowest id that the next frame of the client can have. */
  get nextId(): number {
    return this.#lastId + 1;
  }

  /** The id of the next frame that the server creates. */
  get nextOwnId(): number {
    return this.#nextOwnId;
  }

  /** When a frame last arrived or was finished. */
  get lastActivityAt(): number {
    return this.#lastActivityAt;
  }

  /** Sends answers over this connection from now on: its credits are counted from 0, and older frames hold none. */
  connect(outlet: Outlet): void {
    this.#outlet = outlet;
    this.#waiting.clear();
    this.#received = 0;
    this.#total = this.#credits;
  }

  disconnect(): void {
    this.#outlet = null;
  }

  /** Forgets all frames: none is answered any more. */
  close(): void {
    this.disconnect();
    this.#frames.clear();
    this.#waiting.clear();
    this.#notAdmitted.clear();
    this.#onAllAdmitted?.();
  }

  /** Returns the frames without an answer. */
  open(): readonly Frame[] {
    return [...this.#frames.values()];
  }

  /** Returns the frame with this id; undefined once it is answered. */
  find(id: number): Frame | undefined {
    return this.#frames.get(id);
  }

  /**
   * Records a frame that has arrived.
   * @returns null if its id is not higher than every one before in the session.
   */
  receive(id: number, captured: number, now: number): Frame | null {
    if (id <= this.#lastId) return null;
    this.#lastId = id;
    this.#received += 1;
    this.#lastActivityAt = now;
    this.#outlet?.meter.frameReceived();
    const frame = this.#add(id, captured, now);
    this.#waiting.add(frame);
    return frame;
  }

  /** Records a frame that the server creates; it costs no credit. */
  create(now: number): Frame {
    return this.#add(this.#nextOwnId--, 0, now);
  }

  /** Records a frame that another server's engine has worked on. */
  adopt({ id, captured }: CarriedFrame, quality: number, now: number): Frame {
    this.#lastId = Math.max(this.#lastId, id);
    this.#nextOwnId = Math.min(this.#nextOwnId, id - 1);
    const frame = this.#add(id, captured, now);
    frame.place = 'engine';
    frame.quality = quality;
    return frame;
  }

  /** Records that a frame begins its way to the engine. */
  begin(frame: Frame): void {
    this.#notAdmitted.add(frame);
  }

  /** Records that a frame is handed to the engine. */
  enter(frame: Frame, now: number): void {
    frame.place = 'engine';
    frame.inputMs = now - frame.arrivedAt;
  }

  /** Records that the engine has begun to work on a frame, for a result of this JPEG quality. */
  admit(frame: Frame, quality: number, now: number): void {
    frame.quality = quality;
    frame.queueMs = now - frame.arrivedAt - frame.inputMs;
    this.#leave(frame);
  }

  /** Records that a frame came out of the engine. */
  finish(frame: Frame, now: number): void {
    frame.place = 'output';
    this.#lastActivityAt = now;
    this.#outlet?.meter.frameGenerated();
  }

  /** Records that a frame is answered. @returns false if it already was. */
  answer(frame: Frame): boolean {
    return this.#frames.delete(frame.id);
  }

  /** Answers a frame without a result. @returns false if it was answered already. */
  drop(frame: Frame, reason: DropReason): boolean {
    if (!this.answer(frame)) return false;
    this.#outlet?.meter.frameDropped(reason);
    // The client learns of the server's own frames by their results only.
    if (frame.id >= 0) this.#outlet?.send({ type: 'dropped', id: frame.id, reason });
    this.#leave(frame);
    return true;
  }

  /** Waits until the engine has begun to work on every frame that is on its way in, or it is dropped. */
  async allAdmitted(): Promise<void> {
    if (this.#notAdmitted.size === 0) return;
    await new Promise<void>((resolve) => (this.#onAllAdmitted = resolve));
    this.#onAllAdmitted = null;
  }

  #add(id: number, captured: number, arrivedAt: number): Frame {
    const frame: Frame = { id, captured, arrivedAt, place: 'input', inputMs: 0, queueMs: 0, quality: 0 };
    this.#frames.set(id, frame);
    return frame;
  }

  /** Notes that a frame is no longer on its way in, and returns its credit. */
  #leave(frame: Frame): void {
    if (this.#notAdmitted.delete(frame) && this.#notAdmitted.size === 0) this.#onAllAdmitted?.();
    if (!this.#waiting.delete(frame)) return;
    this.#total += 1;
    this.#outlet?.send({ type: 'credit', total: this.#total });
  }
}
