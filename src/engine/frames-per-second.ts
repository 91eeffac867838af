import type { StreamParameters } from '@millrace/protocol';
import { needsNegative } from '../diffusion/guidance.js';
import type { CostCurve } from './messages.js';
import { rowsPerSecond } from './rows-per-second.js';

export interface Costs {
  readonly costs: CostCurve;
  readonly rowBudget: number;
  readonly pictureMs: number;
}

/** Frames that a device can make in a second of streams with such parameters, at the model's default size. */
export function framesPerSecond(costs: Costs, parameters: StreamParameters): number {
  return 1000 / frameMs(costs, parameters);
}

/**
 * Milliseconds that one frame takes of a device at the model's default size: it is encoded, goes through the U-Net for
 * each of its rows, in calls of the best size, and is decoded.
 */
export function frameMs(costs: Costs, parameters: StreamParameters): number {
  return costs.pictureMs + (rowsPerFrame(parameters) * 1000) / rowsPerSecond(costs);
}

function rowsPerFrame(parameters: StreamParameters): number {
  const { steps, t_index_list: list, cfg_type: type, guidance_scale: scale, delta } = parameters;
  let rows = 0;
  for (let stage = 0; stage < (list?.length ?? steps); stage++) {
    rows += needsNegative({ type, scale, delta }, stage) ? 2 : 1;
  }
  return rows;
}
