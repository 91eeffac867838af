/** One input frame between its arrival and its answer. */
export interface Frame {
  /** Set by the client; negative for frames that the server creates. */
  readonly id: number;
  /** Milliseconds of the client's clock, as sent; 0 for the server's own frames. */
  readonly captured: number;
  /** Milliseconds of `performance.now()`. */
  readonly arrivedAt: number;
  /** Where it is: in the session, in the engine, or in the session again as a result. */
  place: 'input' | 'engine' | 'output';
  /** Milliseconds from the arrival until it was handed to the engine. */
  decodeMs: number;
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
 * Accounts for the frames of a session: ids rise over all its connections, and each is answered exactly once. A frame
 * costs one credit, which is returned once, when the frame stops waiting for whatever reason; credits are counted per
 * connection.
 */
export class FrameLedger {
  readonly #frames = new Map<number, Frame>();
  readonly #waiting = new Set<Frame>();
  #lastId = -1;
  #nextOwnId = -1;
  #received = 0;
  #total: number;

  /** @param credits frames that the client may send at first. */
  constructor(credits: number) {
    this.#total = credits;
  }

  /** Frames that the client may send in total over this connection. */
  get total(): number {
    return this.#total;
  }

  /** Returns the frames without an answer. */
  open(): readonly Frame[] {
    return [...this.#frames.values()];
  }

  /**
   * Records a frame that has arrived.
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

  /** Records a frame that the server creates; it costs no credit. */
  create(now: number): Frame {
    return this.#enter(this.#nextOwnId--, 0, now);
  }

  /** The lowest id that the next frame of the client can have. */
  get nextId(): number {
    return this.#lastId + 1;
  }

  /** The id of the next frame that the server creates. */
  get nextOwnId(): number {
    return this.#nextOwnId;
  }

  /** Whether the client has sent more frames than it had credits for. */
  get overdrawn(): boolean {
    return this.#received > this.#total;
  }

  /** Returns the frame with this id; undefined once it is answered. */
  find(id: number): Frame | undefined {
    return this.#frames.get(id);
  }

  /** Notes that a frame no longer waits. @returns whether that returned a credit (the first time). */
  release(frame: Frame): boolean {
    if (!this.#waiting.delete(frame)) return false;
    this.#total += 1;
    return true;
  }

  /** Begins a connection: frames of the previous one no longer wait, and credits are counted from 0 again. */
  renew(credits: number): void {
    this.#waiting.clear();
    this.#received = 0;
    this.#total = credits;
  }

  /** Records a frame that another server's engine has worked on. */
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

  /** Records that a frame is answered. @returns false if it already was. */
  answer(frame: Frame): boolean {
    return this.#frames.delete(frame.id);
  }
}
