import type { ParameterUpdate } from '@millrace/protocol';
import { createValidator } from '../text/validator.js';
import { ModelError } from './model-error.js';
import { readModelJson } from './model-files.js';

/** The class of a scheduler file of a mean-reverting model: that of the original code (Luo et al. 2023, IR-SDE). */
export const meanRevertingClass = 'IRSDE';

/** The diffusion of a network that restores pictures, as src/diffusion takes it. */
interface MeanReverting {
  readonly max_sigma: number;
  readonly T: number;
  readonly eps: number;
}

interface MeanRevertingFile extends MeanReverting {
  readonly schedule: string;
  readonly prediction_type: string;
}

/** The defaults are those of the original. */
const validate = createValidator<MeanRevertingFile>({
  type: 'object',
  required: ['max_sigma'],
  properties: {
    max_sigma: { type: 'number', exclusiveMinimum: 0, maximum: 255 },
    T: { type: 'integer', minimum: 2, maximum: 10000, default: 100 },
    eps: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.01 },
    schedule: { type: 'string', default: 'cosine' },
    prediction_type: { type: 'string', default: 'epsilon' },
  },
});

/**
 * Reads the scheduler file of a mean-reverting model.
 * @throws {ModelError} if it is invalid.
 */
export async function readMeanReverting(path: string): Promise<MeanReverting> {
  const { max_sigma, T, eps, schedule, prediction_type } = await readModelJson(path, validate);
  for (const [field, value, only] of [
    ['schedule', schedule, 'cosine'],
    ['prediction_type', prediction_type, 'epsilon'],
  ] as const) {
    if (value === only) continue;
    throw new ModelError(
      path,
      `${field} is "${value}", but of ${meanRevertingClass} only models with "${only}" can be run here; ` +
        'correct the file, or use another model',
    );
  }
  return { max_sigma, T, eps };
}

/** Most steps of a schedule if the file does not say. */
const usualSteps = 50;

/** Returns the parameter defaults of a mean-reverting model: its whole schedule, from the input with noise. */
export function meanRevertingDefaults({ T }: MeanReverting): ParameterUpdate {
  return {
    solver: 'DPMSolverMultistepScheduler',
    algorithm_type: 'dpmsolver++',
    solver_order: 2,
    cfg_type: 'none',
    num_inference_steps: Math.min(usualSteps, T),
    strength: 1,
    steps: Math.min(4, T),
  };
}
