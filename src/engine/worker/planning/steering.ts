import { chosenSolvers, type StreamParameters } from '@millrace/protocol';
import type { Plan } from '../../../diffusion/in-flight.js';
import type { Conditioning, RowValues, Steering } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { ControlLayout } from '../../../model/layout/steered.js';
import type { UnetLayout } from '../../../model/layout/unet.js';
import { activeControlNames } from '../../active-controls.js';
import { ParameterError } from '../../engine.js';
import { guidanceConditioning } from '../networks/guidance-embedding.js';
import { compositionOf, guidanceOf } from './plan.js';

/** @throws {ParameterError} if the model cannot be steered as the parameters say; the message says how it can. */
export function checkSteering(
  { name, layout, maskPreprocessors }: ModelFolder,
  parameters: StreamParameters,
): void {
  const { steered } = layout;
  const names = steered?.controls.map((control) => control.name) ?? [];
  const unknown = Object.keys(parameters.controls).find((control) => !names.includes(control));
  if (unknown !== undefined) {
    throw new ParameterError(
      'controls',
      `controls names ${JSON.stringify(unknown)}; the model ${name} has ${names.join(', ') || 'no controls'}`,
    );
  }
  if (parameters.style_image !== null && !steered?.imageEncoder) {
    throw new ParameterError(
      'style_image',
      `style_image must be null for the model ${name}, which was exported without an IP-Adapter`,
    );
  }
  const { cfg_type } = parameters;
  const fitted = 'DPMSolverV3Scheduler';
  // The stock noise moves as samples do, but these steps are fitted to real predictions.
  if (chosenSolvers(parameters).includes(fitted) && (cfg_type === 'self' || cfg_type === 'initialize')) {
    throw new ParameterError('cfg_type', `cfg_type must be none or full with ${fitted}, not ${cfg_type}`);
  }
  checkComposition(parameters);
  const { attention_bank_frames: frames, mask_preprocessor: mask } = parameters;
  if (mask !== 'none' && !maskPreprocessors.includes(mask)) {
    throw new ParameterError(
      'mask_preprocessor',
      `mask_preprocessor is ${JSON.stringify(mask)}; of the preprocessors of the model ${name}, ` +
        `${maskPreprocessors.join(', ') || 'none'} make masks`,
    );
  }
  if (frames === 0 || steered?.bank) return;
  throw new ParameterError(
    'attention_bank_frames',
    `attention_bank_frames must be 0 for the model ${name}, which was exported without an attention bank, ` +
      `not ${frames}`,
  );
}

/** A share of the picture in a noised latent below which it is pure noise. */
const pureNoise = 1e-6;

/**
 * Checks that residual guidance has a picture to start from. Its stock stands for the noise of a frame: with a flow,
 * the velocity that this noise would give is (stock - sample) / a, which pure noise (a = 0) leaves open.
 * @throws {ParameterError} if it has none; the message says what would fit.
 */
export function checkGuidance(
  { solver, prediction }: Pick<Plan, 'solver' | 'prediction'>,
  parameters: Pick<StreamParameters, 'cfg_type' | 'solver' | 'solver_schedule'>,
): void {
  const { cfg_type } = parameters;
  const isResidual = cfg_type === 'self' || cfg_type === 'initialize';
  const isFlow = prediction === 'flow' || prediction === 'reverse_flow';
  if (!isResidual || !isFlow || (solver.stages[0]?.a ?? 1) > pureNoise) return;
  throw new ParameterError(
    'cfg_type',
    `cfg_type must be none or full where frames start from pure noise, not ${cfg_type}: with ${chosenSolvers(parameters)[0]}, residual ` +
      'guidance needs a strength below 1, or a t_index_list without position 0',
  );
}

/** The prompts of a frame, padded to one length. */
interface Prompts {
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  readonly second: Conditioning | null;
}

/** Returns the steering by prompts and guidance alone. */
export function promptSteering(
  { layout, selfGuided }: ModelFolder,
  parameters: StreamParameters,
  { positive, negative, second }: Prompts,
): Steering {
  const guidance = guidanceOf(parameters);
  const own = selfGuided && guidanceOnce(layout.unet, parameters, guidance.scale);
  const guided = (prompt: Conditioning): Conditioning => (own ? { ...prompt, ...own } : prompt);
  const composition = compositionOf(parameters);
  return {
    guidance,
    positive: guided(positive),
    negative,
    ...(second && composition && { composed: { second: guided(second), composition } }),
  };
}

/** By parameters, so that all frames with the same ones have the same arrays, by which unchanged values are recognized. */
const guidances = new WeakMap<StreamParameters, ReturnType<typeof guidanceConditioning>>();

function guidanceOnce(
  unet: UnetLayout,
  parameters: StreamParameters,
  scale: number,
): ReturnType<typeof guidanceConditioning> {
  const known = guidances.get(parameters);
  if (known) return known;
  const made = guidanceConditioning(unet, scale);
  guidances.set(parameters, made);
  return made;
}

/** @throws {ParameterError} if prompts cannot be composed by their predictions as the parameters say. */
function checkComposition(parameters: StreamParameters): void {
  const { prompt, prompt_composition: type, cfg_type } = parameters;
  if (type === 'mix') return;
  const count = typeof prompt === 'string' ? 1 : prompt.length;
  if (count !== 2) {
    throw new ParameterError(
      'prompt',
      `prompt must be a list of two texts with weights for prompt_composition ${type}, not of ${count}`,
    );
  }
  const other = chosenSolvers(parameters).find((name) => name !== 'EulerMaruyamaScheduler');
  if (other !== undefined) {
    const wanted = `prompt_composition ${type} follows densities along the steps of EulerMaruyamaScheduler`;
    throw new ParameterError('prompt_composition', `${wanted}: solver must be that, not ${other}`);
  }
  if (cfg_type !== 'none' && cfg_type !== 'full') {
    throw new ParameterError(
      'cfg_type',
      `cfg_type must be none or full for prompt_composition ${type}, not ${cfg_type}`,
    );
  }
}

/**
 * Returns the scales of the controls that are on, for each stage: those of a stage outside of a control's part of the
 * denoising are 0 (as in diffusers, from its start to its end).
 * @returns undefined if none is on.
 */
export function controlScales(
  controls: readonly ControlLayout[],
  parameters: StreamParameters,
): Steering['atStage'] {
  const active = activeControlNames(parameters).flatMap((name) => {
    const input = controls.find((control) => control.name === name)?.scale;
    const settings = parameters.controls[name];
    return input !== undefined && settings ? [{ input, ...settings }] : [];
  });
  if (active.length === 0) return undefined;
  return (stage, stages): RowValues => {
    const values = active.map(({ input, scale, start = 0, end = 1 }) => {
      const isOutside = stage / stages < start || (stage + 1) / stages > end;
      return [input, Float32Array.of(isOutside ? 0 : scale)] as const;
    });
    return Object.fromEntries(values);
  };
}
