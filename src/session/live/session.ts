import type { StreamParameters } from '@millrace/protocol';
import type { Slot } from '../admission/admission.js';
import type { ConnectionFrames, SessionFrames } from '../frames/frame-pipeline.js';

export interface SessionParts {
  readonly id: string;
  /** The user that the session belongs to. */
  readonly subject: string;
  readonly frames: ConnectionFrames & SessionFrames;
  readonly slot: Slot;
  readonly parameters: StreamParameters;
  /** Number of its newest resume token; 0 before the first. */
  readonly counter: number;
}

/** What survives the loss of a connection: the stream in the engine, its parameters, and its slot. */
export class Session {
  readonly id: string;
  readonly subject: string;
  readonly frames: ConnectionFrames & SessionFrames;
  readonly #slot: Slot;
  #parameters: StreamParameters;
  #counter: number;
  /** Settles when everything that was queued so far is done. */
  #queued: Promise<void> = Promise.resolve();
  /** Notifies the current connection that another takes over the session; null while there is none. */
  #evict: (() => void) | null = null;

  constructor({ id, subject, frames, slot, parameters, counter }: SessionParts) {
    this.id = id;
    this.subject = subject;
    this.frames = frames;
    this.#slot = slot;
    this.#parameters = parameters;
    this.#counter = counter;
  }

  /** The parameters in force. */
  get parameters(): StreamParameters {
    return this.#parameters;
  }

  /** Number of the newest resume token. */
  get counter(): number {
    return this.#counter;
  }

  /** Returns the number of the next resume token. */
  nextCounter(): number {
    this.#counter += 1;
    return this.#counter;
  }

  /** Counts its next resume tokens from this number, unless they are above it already. */
  countFrom(counter: number): void {
    this.#counter = Math.max(this.#counter, counter);
  }

  /** Whether a connection has the session. */
  get attached(): boolean {
    return this.#evict !== null;
  }

  /** Gives the session to a connection. @param evict is called if another connection takes it over. */
  attach(evict: () => void): void {
    this.#evict = evict;
  }

  /** Detaches the session from its lost connection. Frames under way stay there. */
  detach(): void {
    this.#evict = null;
    this.frames.disconnect();
  }

  /** Detaches the session from its connection, if any, so that another can take it over. */
  evict(): void {
    const evict = this.#evict;
    this.#evict = null;
    evict?.();
    this.frames.disconnect();
  }

  /**
   * Does work after everything that was queued before, and before anything that is queued later.
   * @throws what `work` throws (as rejection).
   */
  async queue(work: () => void | Promise<void>): Promise<void> {
    const done = this.#queued.then(work);
    this.#queued = done.catch(() => {});
    return done;
  }

  /**
   * Changes all parameters at a frame boundary.
   * @returns the first frame with the new parameters.
   * @throws {ParameterError} if the engine refuses them.
   * @throws {Error} if the engine fails.
   */
  async configure(parameters: StreamParameters): Promise<number> {
    const from = await this.frames.configure(parameters);
    this.#parameters = parameters;
    return from;
  }

  /** Ends the stream and frees the slot. */
  close(): void {
    this.frames.close();
    this.#slot.release();
  }
}
