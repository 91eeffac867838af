import type { StreamParameters } from '@millrace/protocol';
import type { Slot } from '../admission/admission.js';
import type { FramePipeline } from '../frames/frame-pipeline.js';

export interface SessionParts {
  /** The session's name. */
  readonly id: string;
  /** Whose it is. */
  readonly subject: string;
  readonly frames: FramePipeline;
  readonly slot: Slot;
  readonly parameters: StreamParameters;
  /** Number of its newest resume token; 0 before the first. */
  readonly counter: number;
}

/** What survives the loss of a connection: the stream in the engine, its parameters, and its slot. */
export class Session {
  readonly id: string;
  readonly subject: string;
  readonly frames: FramePipeline;
  readonly #slot: Slot;
  #parameters: StreamParameters;
  #counter: number;
  /** Settles when everything that was queued so far is done. */
  #queued: Promise<void> = Promise.resolve();
  /** Tells the connection that has the session that another takes it over; null while none has it. */
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

  /** Whether a connection has it. */
  get attached(): boolean {
    return this.#evict !== null;
  }

  /** Gives the session to a connection. @param evict is called if another connection takes it over. */
  attach(evict: () => void): void {
    this.#evict = evict;
  }

  /** Takes the session from its connection, which has lost it. Frames that are on their way stay there. */
  detach(): void {
    this.#evict = null;
    this.frames.disconnect();
  }

  /** Takes the session from its connection, if one has it, for another. */
  evict(): void {
    const evict = this.#evict;
    this.#evict = null;
    evict?.();
    this.frames.disconnect();
  }

  /**
   * Does something once all that was queued before is done, and before anything that is queued later.
   * @throws what `work` throws (as rejection).
   */
  async queue(work: () => void | Promise<void>): Promise<void> {
    const done = this.#queued.then(work);
    this.#queued = done.catch(() => {});
    return done;
  }

  /**
   * Changes all parameters at a frame boundary.
   * @returns the first frame that they affect.
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
