import type { SchedulerConfig } from '../../schedule.js';
import type { Stage } from '../../types.js';
import { cleanEstimate, eps, quantity, sum, x, type Form } from './forms.js';

/** Bounds the clean estimate of one sample, in place. */
export type Bound = (clean: Float64Array) => void;

/** The bounds that a family of solvers supports in diffusers; it ignores the others. */
export interface BoundKinds {
  readonly clip: boolean;
  readonly threshold: boolean;
}

/** Returns the bound of a model's configuration; null if there is none. */
export function boundOf(config: SchedulerConfig, { clip, threshold }: BoundKinds): Bound | null {
  if (threshold && config.thresholding === true) {
    const { dynamic_thresholding_ratio: ratio = 0.995, sample_max_value: most = 1 } = config;
    return (clean) => thresholdDynamically(clean, ratio, most);
  }
  if (!clip || config.clip_sample !== true) return null;
  const { clip_sample_range: range = 1 } = config;
  return (clean) => clamp(clean, range, 1);
}

/** The clean estimate and the noise of a stage, as forms. */
export interface Outputs {
  readonly clean: Form;
  readonly eps: Form;
}

/** @param bound null: both are as predicted; otherwise the noise is recomputed from sample and bounded estimate. */
export function outputsOf(stage: Stage, bound: Bound | null): Outputs {
  if (bound === null) return { clean: cleanEstimate(stage), eps };
  const { a, b, inputScale } = stage;
  const clean = quantity('clean');
  return { clean, eps: sum([inputScale / b, x], [-a / b, clean]) };
}

/**
 * Applies dynamic thresholding (Saharia et al. 2022, section 2.3): clamps values to a quantile of their magnitudes, at
 * least 1 and at most `most`, and divides by it.
 */
function thresholdDynamically(clean: Float64Array, ratio: number, most: number): void {
  const sizes = clean.map(Math.abs).sort();
  const place = ratio * (sizes.length - 1);
  const below = Math.floor(place);
  const low = sizes[below] ?? 0;
  const quantile = low + (place - below) * ((sizes[below + 1] ?? low) - low);
  const range = Math.min(Math.max(quantile, 1), most);
  clamp(clean, range, range);
}

function clamp(values: Float64Array, range: number, divisor: number): void {
  for (let i = 0; i < values.length; i++) {
    values[i] = Math.min(Math.max(values[i], -range), range) / divisor;
  }
}
