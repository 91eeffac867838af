import { errors } from '@millrace/protocol';
import { ProtocolError } from '../wire/protocol-error.js';

export interface AdmissionOptions {
  /** Sessions that can be served at the same time now. */
  readonly slots: () => number;
  /** Sessions that may wait. */
  readonly queueLength: number;
  /** Longest wait in milliseconds. */
  readonly queueTimeoutMs: number;
}

/** A place among the sessions that are served. */
export interface Slot {
  /** Gives the place to the next. May be called twice. */
  release(): void;
}

/** One who waits. */
interface Waiting {
  readonly admit: (slot: Slot) => void;
  readonly tell: (position: number) => void;
  position: number;
}

/** How long a session lasts until the first ones have ended, in milliseconds. */
const firstGuess = 60_000;

/** Lets in as many sessions as can be served; others wait in the order in which they came. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #queue = new Set<Waiting>();
  #served = 0;
  #usualStay = firstGuess;

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

  /** Whether one more could neither be served nor wait. */
  get full(): boolean {
    return this.#served >= this.slots && this.#queue.size >= this.#options.queueLength;
  }

  /** How long one who came now would wait, in seconds, estimated. */
  get wait(): number {
    return this.#waitAt(this.#queue.size + 1);
  }

  /**
   * Waits for a place.
   * @param gone aborts when the client is gone; it then gets no place.
   * @param onQueued is told the position, and the wait in seconds, at first and when they change.
   * @throws {ProtocolError} too_many_sessions, queue_timeout
   */
  async enter(gone: AbortSignal, onQueued: (position: number, waitSeconds: number) => void): Promise<Slot> {
    if (gone.aborted) throw goneError();
    if (this.#served < this.slots && this.#queue.size === 0) return this.#occupy();
    const { queueLength, queueTimeoutMs } = this.#options;
    if (this.#queue.size >= queueLength) {
      throw new ProtocolError('too_many_sessions', errors.too_many_sessions.meaning);
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', giveUp);
        this.#queue.delete(waiting);
      };
      const refuse = (error: Error): void => {
        leave();
        this.#advance();
        reject(error);
      };
      const giveUp = (): void => refuse(goneError());
      const waiting: Waiting = {
        admit(slot) {
          leave();
          resolve(slot);
        },
        tell: (position) => onQueued(position, this.#waitAt(position)),
        position: 0,
      };
      const timer = setTimeout(
        () => refuse(new ProtocolError('queue_timeout', errors.queue_timeout.meaning)),
        queueTimeoutMs,
      );
      gone.addEventListener('abort', giveUp);
      this.#queue.add(waiting);
      this.#advance();
    });
  }

  /** Looks whether there is room: to be called when the capacity may have grown. */
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
        this.#usualStay += (performance.now() - since - this.#usualStay) / 8;
        this.#advance();
      },
    };
  }

  /** Lets in who can be let in, and tells the others where they are. */
  #advance(): void {
    for (const next of this.#queue) {
      if (this.#served >= this.slots) break;
      next.admit(this.#occupy());
    }
    let position = 0;
    for (const waiting of this.#queue) {
      position += 1;
      if (waiting.position !== position) waiting.tell(position);
      waiting.position = position;
    }
  }

  #waitAt(position: number): number {
    const wait = (position * this.#usualStay) / Math.max(1, this.slots) / 1000;
    return Math.round(Math.min(wait, this.#options.queueTimeoutMs / 1000) * 10) / 10;
  }
}

function goneError(): Error {
  return new Error('the client is gone');
}
