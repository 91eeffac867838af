import { ProtocolError } from '../wire/protocol-error.js';

export interface AdmissionOptions {
  /** Sessions that can be served at the same time now. */
  readonly slots: () => number;
  /** Sessions that may wait. */
  readonly queueLength: number;
  /** Longest wait in milliseconds. */
  readonly queueTimeoutMs: number;
}

/** The place of a session among those that are served at the same time. */
export interface Slot {
  /** Frees the slot for the next session. May be called twice. */
  release(): void;
}

/** A client in the queue. */
interface WaitingClient {
  readonly admit: (slot: Slot) => void;
  readonly report: (position: number) => void;
  position: number;
}

/** Assumed duration of a session until the first ones have ended, in milliseconds. */
const firstStayMs = 60_000;

/** Admits as many sessions as can be served; the others wait in order of arrival. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #queue = new Set<WaitingClient>();
  #served = 0;
  #usualStayMs = firstStayMs;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get slots(): number {
    return this.#options.slots();
  }

  get served(): number {
    return this.#served;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Whether another session could neither be served nor wait. */
  get full(): boolean {
    return this.#served >= this.slots && this.#queue.size >= this.#options.queueLength;
  }

  /** Estimated wait of a client that arrives now, in seconds. */
  get wait(): number {
    return this.#waitAt(this.#queue.size + 1);
  }

  /**
   * Waits for a slot.
   * @param gone aborts when the client is gone; it then gets no slot.
   * @param onQueued receives the position and the estimated wait, at first and when they change.
   * @throws {ProtocolError} too_many_sessions, queue_timeout
   */
  async enter(gone: AbortSignal, onQueued: (position: number, waitSeconds: number) => void): Promise<Slot> {
    if (gone.aborted) throw goneError();
    if (this.#served < this.slots && this.#queue.size === 0) return this.#occupy();
    const { queueLength, queueTimeoutMs } = this.#options;
    if (this.#queue.size >= queueLength) {
      throw new ProtocolError('too_many_sessions');
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', abandon);
        this.#queue.delete(waiting);
      };
      const refuse = (error: Error): void => {
        leave();
        this.#advance();
        reject(error);
      };
      const abandon = (): void => refuse(goneError());
      const waiting: WaitingClient = {
        admit(slot) {
          leave();
          resolve(slot);
        },
        report: (position) => onQueued(position, this.#waitAt(position)),
        position: 0,
      };
      const timer = setTimeout(() => refuse(new ProtocolError('queue_timeout')), queueTimeoutMs);
      gone.addEventListener('abort', abandon);
      this.#queue.add(waiting);
      this.#advance();
    });
  }

  /** Admits waiting clients if there is room. Call it when the capacity may have grown. */
  poke(): void {
    this.#advance();
  }

  #occupy(): Slot {
    const since = performance.now();
    let held = true;
    this.#served += 1;
    return {
      release: () => {
        if (!held) return;
        held = false;
        this.#served -= 1;
        this.#usualStayMs += (performance.now() - since - this.#usualStayMs) / 8;
        this.#advance();
      },
    };
  }

  /** Admits clients while there is room, and reports new positions to the others. */
  #advance(): void {
    for (const next of this.#queue) {
      if (this.#served >= this.slots) break;
      next.admit(this.#occupy());
    }
    let position = 0;
    for (const waiting of this.#queue) {
      position += 1;
      if (waiting.position !== position) waiting.report(position);
      waiting.position = position;
    }
  }

  #waitAt(position: number): number {
    const wait = (position * this.#usualStayMs) / Math.max(1, this.slots) / 1000;
    return Math.round(Math.min(wait, this.#options.queueTimeoutMs / 1000) * 10) / 10;
  }
}

function goneError(): Error {
  return new Error('the client is gone');
}
