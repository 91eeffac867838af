import { MillraceError } from './errors.js';

/** Milliseconds for which the result of a picture may still come after its connection was lost. */
const patience = 15_000;

/**
 * Waits for the answer to the picture that was on its way when a connection was lost: the next connection may bring its
 * result, or no answer at all. Where a newer picture follows, this one is not missed.
 */
export class LostPicture {
  readonly #givenUp: (id: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #id = 0;

  /** @param givenUp is called with the picture's id when the time has passed. */
  constructor(givenUp: (id: number) => void) {
    this.#givenUp = givenUp;
  }

  /** There is another connection. @param id of the newest picture on its way; undefined if there was none. */
  await(id: number | undefined): void {
    this.forget();
    if (id === undefined) return;
    this.#id = id;
    this.#timer = setTimeout(() => this.#givenUp(id), patience);
  }

  /** A picture has its answer. */
  answered(id: number): void {
    if (id >= this.#id) this.forget();
  }

  /** A newer picture is on its way, or the stream is over. */
  forget(): void {
    clearTimeout(this.#timer);
  }
}

/** What the wait for the result of such a picture ends with. */
export function lostError(frame: number): MillraceError {
  const message = 'The picture was lost with the connection, and no newer one was sent.';
  return new MillraceError('connection_lost', { message, frame });
}
