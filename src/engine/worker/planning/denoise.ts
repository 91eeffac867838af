import type { Admission } from '../../../diffusion/stream.js';
import { rowBudget, workTime, type CostCurve } from '../../costs.js';

/** What the choice between the stream batch and sequential denoising depends on. */
export interface DenoiseCase {
  readonly costs: CostCurve;
  /** Milliseconds to encode and decode a picture, at the size of the curve. */
  readonly pictureMs: number;
  readonly steps: number;
  /** Rows of a frame in all steps but perhaps the first. */
  readonly rowsPerStep: number;
  /** Frames that enter together: those of all streams that fill calls together. */
  readonly users: number;
  /** Whether a new frame replaces a waiting one (a camera); otherwise all frames count (a file), and latency does not. */
  readonly isLive: boolean;
  /** The present choice. */
  readonly current: Admission['denoise'];
}

/** How far beyond the border the gain must be to leave sequential denoising: measurements and users vary. */
const band = 1.1;

/**
 * Resolves `denoise: auto`: sequential, unless the gain of the stream batch in frames is larger than its loss in
 * latency.
 *
 * If frames never stop coming, frames of n steps take n calls in both ways. Sequentially, the n calls bring one frame
 * of each user; in the stream batch, with n times the rows, each of them does. If that gives G times as many frames,
 * each is under way n / G times as long: the gain is the larger one if G is above the root of n. On CPUs, G is about 1.
 * With many users, whose rows fill the calls in both ways, it is too. If frames come so slowly that one is done before
 * the next arrives, none overlap and the choice has no effect.
 */
export function preferredDenoise(of: DenoiseCase): Admission['denoise'] {
  const { costs, steps, users, current } = of;
  const budget = { costs, rowBudget: rowBudget(costs) };
  const rows = users * of.rowsPerStep;
  const pictureMs = users * of.pictureMs;
  const separate = steps * workTime(budget, { rows, pictureMs: 0 }).ms + pictureMs;
  const batched = workTime(budget, { rows: steps * rows, pictureMs }).ms;
  const worth = of.isLive ? Math.sqrt(steps) : 1;
  return separate > batched * worth * (current === 'stream' ? 1 : band) ? 'stream' : 'sequential';
}
