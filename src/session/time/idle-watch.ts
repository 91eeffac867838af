import { Deadline } from './deadline.js';

/** Detects that nothing has happened for too long. */
export class IdleWatch {
  readonly #ms: number;
  readonly #last: () => number;
  readonly #onIdle: () => void;
  readonly #deadline = new Deadline(() => this.#check());

  /**
   * @param ms how long is too long; 0 for no limit.
   * @param last returns when something last happened, by `performance.now()`.
   */
  constructor(ms: number, last: () => number, onIdle: () => void) {
    this.#ms = ms;
    this.#last = last;
    this.#onIdle = onIdle;
  }

  start(): void {
    if (this.#ms > 0) this.#deadline.set(this.#ms);
  }

  /** May be called twice. */
  stop(): void {
    this.#deadline.clear();
  }

  #check(): void {
    const rest = this.#last() + this.#ms - performance.now();
    if (rest <= 0) this.#onIdle();
    else this.#deadline.set(rest);
  }
}
