import type { StreamParameters } from '@millrace/protocol';
import { AttentionBank, bankBytes } from '../../../diffusion/attention-bank.js';
import { needsNegative } from '../../../diffusion/guidance.js';
import type { Plan } from '../../../diffusion/in-flight.js';
import type { Conditioning, Lane, Steering } from '../../../diffusion/stream.js';
import { activeControls, type ActiveControl } from '../../active-controls.js';
import { isComposed, rowsAtStage, type SteeredUse } from '../../costs.js';
import { ParameterError } from '../../engine.js';
import type { StyleTokens } from '../networks/image-encoder.js';
import type { KeptRows } from '../networks/unet.js';
import { guidanceOf } from '../planning/plan.js';
import { checkGuidance, checkSteering, controlScales } from '../planning/steering.js';
import { styleScales } from '../planning/style-scales.js';
import type { StreamContext } from './stream-context.js';

/** A style image, and how much it counts in each cross-attention layer. */
export interface Style {
  readonly tokens: StyleTokens;
  /** One for each layer, in the order of the model's configuration. */
  readonly scales: Float32Array;
}

/** The parts of a context that steering needs. */
type Context = Pick<StreamContext, 'model' | 'bankMemory'>;

/**
 * What steers a stream besides its prompts: control images, a style image, and the attention bank. It adds the further
 * inputs of the steered U-Net to the rows; rows of a stream that uses none of it have none, and take the plain one.
 */
export class PictureSteering {
  readonly #id: number;
  readonly #context: Context;
  #bank: AttentionBank | null = null;
  #bankPlan: Plan | null = null;
  #scales: Steering['atStage'];
  #controls: readonly ActiveControl[] = [];
  /** Null if there is none. */
  style: Style | null = null;

  /** @param id of the stream. */
  constructor(id: number, context: Context) {
    this.#id = id;
    this.#context = context;
  }

  /**
   * Checks parameters before they are applied.
   * @throws {ParameterError} if the model cannot be steered so, or there is too little memory for the bank.
   */
  check(parameters: StreamParameters, plan: Plan): void {
    const { model, bankMemory } = this.#context;
    checkSteering(model.folder, parameters);
    checkGuidance(plan, parameters);
    const { attention_bank_frames: frames } = parameters;
    const bytes = this.#bytes(parameters, plan);
    const left = bankMemory.leftFor(this.#id);
    if (bytes <= left) return;
    const most = Math.floor((left * frames) / bytes);
    const advice =
      most > 0
        ? `at most ${count(most, 'frame')} would fit`
        : 'choose a smaller size or fewer steps, or try again later';
    throw new ParameterError(
      'attention_bank_frames',
      `a bank of ${count(frames, 'frame')} takes ${megabytes(bytes)} at this size and with these steps, ` +
        `but ${megabytes(left)} are free for banks: ${advice}`,
    );
  }

  /**
   * Applies parameters that were checked. A bank begins empty with each new plan, and with another length.
   * @param tokens of the style image; null if there is none.
   */
  apply(parameters: StreamParameters, plan: Plan, tokens: StyleTokens | null): void {
    const { attention_bank_frames: frames, attention_bank_interval: interval } = parameters;
    const { controls, layout } = this.#context.model.folder;
    const { steered } = layout;
    this.#controls = activeControls(controls, parameters);
    this.#scales = steered ? controlScales(steered.controls, parameters) : undefined;
    const { layers = [] } = steered?.imageEncoder ?? {};
    this.style = tokens && { tokens, scales: styleScales(layers, parameters) };
    this.#context.bankMemory.reserve(this.#id, this.#bytes(parameters, plan));
    if (frames === 0 || !steered?.bank) {
      this.#bank = null;
    } else if (this.#bank?.frames === frames && this.#bankPlan === plan) {
      this.#bank.interval = interval;
      // Memory is reserved only for rows that there are.
      const guidance = guidanceOf(parameters);
      const present = { positive: () => true, second: () => isComposed(parameters), negative: needsNegative };
      this.#bank.forget((stage, role) => present[role](guidance, stage));
    } else {
      this.#bank = new AttentionBank(steered.bank, plan, { frames, interval });
    }
    this.#bankPlan = plan;
  }

  /** The controls that are on: a frame that enters needs their features. */
  get controls(): readonly ActiveControl[] {
    return this.#controls;
  }

  /**
   * Which rows can share a call: those that use the same controls and as long a bank, since all rows of a call pay for
   * what one of them uses. Empty if they take the plain U-Net.
   */
  get kind(): string {
    const { use } = this;
    if (use === null) return '';
    return `steered ${this.#controls.map(({ name }) => name).join()} ${use.bankFrames}`;
  }

  /** What rows use of the steered U-Net; null if they take the plain one. */
  get use(): SteeredUse | null {
    const controls = this.#controls.length;
    const bankFrames = this.#bank?.frames ?? 0;
    return controls + bankFrames > 0 || this.#styleIsOn ? { controls, bankFrames } : null;
  }

  /** Returns the steering with the scales of controls and the style image. */
  steer(steering: Steering): Steering {
    const scaled = this.#scales ? { ...steering, atStage: this.#scales } : steering;
    if (!this.style || !this.#styleIsOn) return scaled;
    const { tokens, scales } = this.style;
    const styled = (prompt: Conditioning, image_tokens: Float32Array): Conditioning => {
      return { ...prompt, image_tokens, ip_adapter_scale: scales };
    };
    const { positive, negative, composed } = steering;
    return {
      ...scaled,
      positive: styled(positive, tokens.positive),
      negative: styled(negative, tokens.negative),
      ...(composed && { composed: { ...composed, second: styled(composed.second, tokens.positive) } }),
    };
  }

  /** Returns the lane with what its rows take from the bank. */
  fill(lane: Lane): Lane {
    return this.#bank?.fill(lane) ?? lane;
  }

  /** Takes note of what the rows of a lane computed for the bank. */
  keep(lane: Lane, computed: KeptRows): void {
    this.#bank?.keep(lane, computed);
  }

  /** Forgets earlier frames, after one that failed: what it attended to may be why. */
  forget(): void {
    this.#bank?.forget();
  }

  /** Gives the memory back. */
  close(): void {
    this.#bank = null;
    this.#context.bankMemory.reserve(this.#id, 0);
  }

  get #styleIsOn(): boolean {
    return this.style?.scales.some((scale) => scale > 0) ?? false;
  }

  #bytes(parameters: StreamParameters, { shape, solver }: Plan): number {
    const { bank } = this.#context.model.folder.layout.steered ?? {};
    const rows = solver.stages.reduce((sum, _, stage) => sum + rowsAtStage(parameters, stage), 0);
    return bank ? bankBytes(bank, shape, { frames: parameters.attention_bank_frames, rows }) : 0;
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toPrecision(3)} MB`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
