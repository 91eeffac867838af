/** One input frame between its arrival and its answer. */
export interface Frame {
  /** The client's; negative for frames that the server makes itself. */
  readonly id: number;
  /** Milliseconds of the client's clock, as it gave them; 0 for the server's own. */
  readonly captured: number;
  /** Milliseconds of `performance.now()`. */
  readonly arrivedAt: number;
  /** Who has it now: the session, the engine, or the session again with a result. */
  place: 'input' | 'engine' | 'output';
  /** Milliseconds from the arrival until it was handed to the engine. */
  decodeMs: number;
  /** Milliseconds from then until the engine took it up. */
  queueMs: number;
  /** JPEG quality of its result. */
  quality: number;
}

/** A frame under way as a resume token carries it: what the engine does not know of it. */
export interface CarriedFrame {
  readonly id: number;
  readonly captured: number;
}

/** The server's own frames count down from -1 here, to be apart from the client's, and up from 0 for the client. */
export function publicId(id: number): number {
  return id < 0 ? -1 - id : id;
}

/**
 * The books of a session's frames: ids rise over all its connections, and each is answered exactly once. Each frame
 * costs one credit, which comes back once when the frame leaves the place where it waits, for whatever reason; credits
 * are counted for each connection.
 */
export class FrameLedger {
  readonly #frames = new Map<number, Frame>();
  readonly #waiting = new Set<Frame>();
  #lastId = -1;
  #nextOwnId = -1;
  #received = 0;
  #total: number;

  /** @param credits frames that may be sent at first. */
  constructor(credits: number) {
    this.#total = credits;
  }

  /** Frames that the client may have sent in all over this connection. */
  get total(): number {
    return this.#total;
  }

  /** Frames that have no answer yet. */
  open(): readonly Frame[] {
    return [...this.#frames.values()];
  }

  /**
   * Enters a frame that has arrived.
   * @returns null if its id is not higher than every one before in the session.
   */
  receive(id: number, captured: number, arrivedAt: number): Frame | null {
    if (id <= this.#lastId) return null;
    this.#lastId = id;
    this.#received += 1;
    const frame = this.#enter(id, captured, arrivedAt);
    this.#waiting.add(frame);
    return frame;
  }

  /** Enters a frame that the server makes itself; it costs no credit. */
  create(now: number): Frame {
    return this.#enter(this.#nextOwnId--, 0, now);
  }

  /** The lowest id that the next frame of the client can have. */
  get nextId(): number {
    return this.#lastId + 1;
  }

  /** The id of the next frame that the server makes itself. */
  get nextOwnId(): number {
    return this.#nextOwnId;
  }

  /** Whether the client has sent more frames than it had credits for. */
  get overdrawn(): boolean {
    return this.#received > this.#total;
  }

  /** The frame of this id, unless it was answered. */
  find(id: number): Frame | undefined {
    return this.#frames.get(id);
  }

  /** The frame no longer waits. @returns whether that gave a credit back (the first time). */
  release(frame: Frame): boolean {
    if (!this.#waiting.delete(frame)) return false;
    this.#total += 1;
    return true;
  }

  /** A connection begins: nothing that the one before sent waits any more, and credits are counted from 0 again. */
  renew(credits: number): void {
    this.#waiting.clear();
    this.#received = 0;
    this.#total = credits;
  }

  /** Enters a frame that another server's engine has worked on. */
  adopt(id: number, captured: number, now: number): Frame {
    this.#lastId = Math.max(this.#lastId, id);
    this.#nextOwnId = Math.min(this.#nextOwnId, id - 1);
    const frame = this.#enter(id, captured, now);
    frame.place = 'engine';
    return frame;
  }

  #enter(id: number, captured: number, arrivedAt: number): Frame {
    const frame: Frame = { id, captured, arrivedAt, place: 'input', decodeMs: 0, queueMs: 0, quality: 0 };
    this.#frames.set(id, frame);
    return frame;
  }

  /** The frame gets its answer now. @returns false if it had one already. */
  answer(frame: Frame): boolean {
    return this.#frames.delete(frame.id);
  }
}
