import type { StreamParameters } from '@millrace/protocol';
import type { EngineStream, StreamState } from '../../engine/engine.js';
import type { Image } from '../../image/image.js';
import type { Frame } from './frame-ledger.js';

/** The way from a session into its stream in the engine: frames, and the parameters that they are worked on with. */
export class EngineFeed {
  #active: { readonly stream: EngineStream; parameters: StreamParameters } | null = null;
  /** Frames of another shape are to come: no frame goes in until those of this shape have. */
  #reshaping = false;

  /** Those in force; null while there is no stream. */
  get parameters(): StreamParameters | null {
    return this.#active?.parameters ?? null;
  }

  /** Whether frames may go in now. */
  get running(): boolean {
    return this.#active?.parameters.paused === false && !this.#reshaping;
  }

  attach(stream: EngineStream, parameters: StreamParameters): void {
    this.#active = { stream, parameters };
  }

  /** @param image null to start from noise. @param preparedMs milliseconds that it took to decode. */
  push(frame: Frame, image: Image | null, preparedMs: number): void {
    frame.place = 'engine';
    this.#active?.stream.push(frame.id, image, { replace: true, preparedMs });
  }

  /**
   * Changes all parameters at a frame boundary. Where the shape of the input changes, that boundary is behind
   * every frame that has the old shape.
   * @param emptied settles when no frame is on its way to `push`.
   * @returns the first frame that they affect.
   * @throws {ParameterError} if they cannot be.
   */
  async configure(parameters: StreamParameters, emptied: () => Promise<void>): Promise<number> {
    const active = this.#active;
    if (!active) throw new Error('configured before it was attached');
    const { width, height, fit } = active.parameters;
    this.#reshaping = parameters.width !== width || parameters.height !== height || parameters.fit !== fit;
    try {
      if (this.#reshaping) await emptied();
      const { from } = await active.stream.configure(parameters);
      active.parameters = parameters;
      return from;
    } finally {
      this.#reshaping = false;
    }
  }

  /** @throws {Error} if there is no stream, or the engine fails. */
  async snapshot(): Promise<StreamState> {
    if (!this.#active) throw new Error('there is no stream');
    return this.#active.stream.snapshot();
  }

  /** May be called twice. */
  close(): void {
    this.#active?.stream.close();
    this.#active = null;
  }
}
