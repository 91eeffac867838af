import { MillraceError } from './errors.js';

/** Time for which the result of a picture may still arrive after its connection was lost. */
const waitMs = 15_000;

/**
 * Waits for the answer to the picture that was in flight when a connection was lost: the next connection may bring its
 * result, or no answer at all. If a newer picture follows, this one no longer matters.
 */
export class LostPicture {
  readonly #givenUp: (id: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #id = 0;

  /** @param givenUp called with the picture's id when the time has passed. */
  constructor(givenUp: (id: number) => void) {
    this.#givenUp = givenUp;
  }

  /** Starts to wait, on a new connection. @param id of the newest picture in flight; undefined if there is none. */
  await(id: number | undefined): void {
    this.forget();
    if (id === undefined) return;
    this.#id = id;
    this.#timer = setTimeout(() => this.#givenUp(id), waitMs);
  }

  /** Stops waiting if this picture, or an older one, was the one awaited. */
  answered(id: number): void {
    if (id >= this.#id) this.forget();
  }

  /** Stops waiting: a newer picture was sent, or the stream has ended. */
  forget(): void {
    clearTimeout(this.#timer);
  }
}

/** Returns the error for a picture whose result did not arrive. */
export function lostError(frame: number): MillraceError {
  const message = 'The picture was lost with the connection, and no newer one was sent.';
  return new MillraceError('connection_lost', { message, frame });
}
