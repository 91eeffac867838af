import { differIn, type StreamParameters, type UnderstoodPrompt } from '@millrace/protocol';
import type { EngineStream, FrameInput, StreamState } from '../../engine/engine.js';
import { needsOtherPictures } from './control-pictures.js';
import type { FrameLedger } from './frame-ledger.js';

/** Passes the frames of a session, and the parameters for them, to its stream in the engine. */
export class EngineFeed {
  readonly #ledger: Pick<FrameLedger, 'allAdmitted'>;
  #active: { readonly stream: EngineStream; parameters: StreamParameters } | null = null;
  /** The shape of frames is changing: new frames wait until the engine has begun to work on those before. */
  #reshaping = false;

  constructor(ledger: Pick<FrameLedger, 'allAdmitted'>) {
    this.#ledger = ledger;
  }

  /** The parameters in force; null while there is no stream. */
  get parameters(): StreamParameters | null {
    return this.#active?.parameters ?? null;
  }

  /** What the model made of the prompts in force; undefined if the engine does not say. */
  get understood(): readonly UnderstoodPrompt[] | undefined {
    return this.#active?.stream.understood;
  }

  /** Whether frames may enter now. */
  get running(): boolean {
    return this.#active?.parameters.paused === false && !this.#reshaping;
  }

  attach(stream: EngineStream, parameters: StreamParameters): void {
    this.#active = { stream, parameters };
  }

  /** Hands over a frame, which replaces the one that waits in the engine. */
  push(frame: number, input: FrameInput): void {
    this.#active?.stream.push(frame, input, { replace: true });
  }

  /**
   * Changes all parameters at a frame boundary. If the input changes its shape, that boundary is after every frame of
   * the old shape.
   * @returns the first frame with the new parameters.
   * @throws {ParameterError} if the engine refuses them.
   */
  async configure(parameters: StreamParameters): Promise<number> {
    const active = this.#active;
    if (!active) throw new Error('configured before it was attached');
    const { parameters: before } = active;
    // A scale that changes while a slider moves changes no picture.
    const sameControls = { ...parameters, controls: before.controls };
    this.#reshaping = differIn('input', before, sameControls) || needsOtherPictures(before, parameters);
    try {
      if (this.#reshaping) await this.#ledger.allAdmitted();
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
