import { Deadline } from './deadline.js';

/** Detects that nothing has happened for too long. */
export class IdleWatch {
  readonly #ms: number;
  readonly #last: () => number;
  readonly #onIdle: () => void;
  readonly #deadline: Deadline;

  /**
   * @param ms how long is too long; 0 for no limit.
   * @param last returns when something last happened, by `performance.now()`.
   * @param gone nothing is detected once this has aborted.
   */
  constructor(ms: number, last: () => number, onIdle: () => void, gone: AbortSignal) {
    this.#ms = ms;
    this.#last = last;
    this.#onIdle = onIdle;
    this.#deadline = new Deadline(() => this.#check(), gone);
  }

  start(): void {
    if (this.#ms > 0) this.#deadline.set(this.#ms);
  }

  #check(): void {
    const rest = this.#last() + this.#ms - performance.now();
    if (rest <= 0) this.#onIdle();
    else this.#deadline.set(rest);
  }
}
