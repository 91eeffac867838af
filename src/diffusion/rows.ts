import { needsNegative, type Guidance } from './guidance.js';
import type { InFlight } from './in-flight.js';
import type { Composition } from './superposition.js';
import type { Latent, Stage } from './types.js';

/** Values of a U-Net row, by the name of the U-Net's input. */
export type RowValues = Readonly<Record<string, Float32Array>>;

/**
 * The conditioning of a U-Net row: values by the name of the U-Net's input, as in diffusers. Opaque to the maths.
 * Besides the prompt, for example `text_embeds` (SDXL) and `timestep_cond` (LCM).
 */
export interface Conditioning {
  /** Prompt embedding [tokens, width]. */
  readonly encoder_hidden_states: Float32Array;
  readonly [input: string]: Float32Array;
}

/** Settings that apply to all frames under way at once: a new prompt shows in the next result. */
export interface Steering {
  readonly guidance: Guidance;
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  /** A second prompt, whose predictions are composed with those of the first. Absent: there is one prompt. */
  readonly composed?: { readonly second: Conditioning; readonly composition: Composition };
  /** Returns what rows of all roles get besides at a stage of so many, such as scales. Absent: nothing. */
  readonly atStage?: (stage: number, stages: number) => RowValues;
}

/** One row of a U-Net call. Arrays are valid until its lane is absorbed. */
export interface Row {
  readonly role: 'positive' | 'second' | 'negative';
  readonly stage: Stage;
  /** U-Net input [channels, height, width]. */
  readonly input: Latent;
  readonly conditioning: Conditioning;
}

/**
 * Returns the rows that a frame needs to advance by a stage: the negative one first, if any, and the positive one last.
 * All get the frame's own values, and as `mean` what its samples revert to, if they do.
 */
export function rowsOf(
  frame: InFlight,
  { guidance, positive, negative, composed, atStage }: Steering,
): readonly Row[] {
  const { plan, stageIndex, own } = frame;
  const { stages } = plan.solver;
  const stage = stages[stageIndex];
  const input = scaledInput(frame, stage);
  const also = { ...atStage?.(stageIndex, stages.length), ...own, ...meanOf(frame) };
  const isPlain = Object.keys(also).length === 0;
  const row = (role: Row['role'], conditioning: Conditioning): Row => ({
    role,
    stage,
    input,
    conditioning: isPlain ? conditioning : { ...conditioning, ...also },
  });
  const first = needsNegative(guidance, stageIndex) ? [row('negative', negative)] : [];
  const second = composed ? [row('second', composed.second)] : [];
  return [...first, ...second, row('positive', positive)];
}

/** Returns what the samples of a frame revert to, for U-Nets that see it. */
function meanOf({ plan, history: { mean } }: InFlight): RowValues {
  return plan.solver.revertsToMean && mean instanceof Float32Array ? { mean } : {};
}

/** Returns the sample, scaled for the U-Net. */
function scaledInput({ sample, input }: InFlight, { inputScale }: Stage): Latent {
  if (inputScale === 1) return sample;
  for (let i = 0; i < input.length; i++) input[i] = sample[i] * inputScale;
  return input;
}
