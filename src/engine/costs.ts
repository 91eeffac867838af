import type { StreamParameters } from '@millrace/protocol';
import { needsNegative } from '../diffusion/guidance.js';
import { cost } from './call-cost.js';
import type { CostCurve } from './messages.js';
import { rowsPerSecond } from './rows-per-second.js';

export interface Costs {
  readonly costs: CostCurve;
  readonly rowBudget: number;
  readonly pictureMs: number;
}

/** Work for an engine: rows of U-Net calls, and milliseconds to encode and decode the pictures. */
export interface Work {
  readonly rows: number;
  readonly pictureMs: number;
}

/** What one frame of a stream with such parameters is, at the model's default size. */
export function frameWork({ pictureMs }: Costs, parameters: StreamParameters): Work {
  return { rows: rowsPerFrame(parameters), pictureMs };
}

/** Work that is there at one moment: U-Net calls that it takes, the last of which may be smaller, and milliseconds of all. */
export function workTime(
  { costs, rowBudget }: Costs,
  { rows, pictureMs }: Work,
): { readonly calls: number; readonly ms: number } {
  const full = Math.floor(rows / rowBudget);
  const rest = rows - full * rowBudget;
  const calls = full + (rest > 0 ? 1 : 0);
  return { calls, ms: pictureMs + full * cost(costs, rowBudget) + (rest > 0 ? cost(costs, rest) : 0) };
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
  const { rows, pictureMs } = frameWork(costs, parameters);
  return pictureMs + (rows * 1000) / rowsPerSecond(costs);
}

function rowsPerFrame(parameters: StreamParameters): number {
  const { steps, t_index_list: list, cfg_type: type, guidance_scale: scale, delta } = parameters;
  let rows = 0;
  for (let stage = 0; stage < (list?.length ?? steps); stage++) {
    rows += needsNegative({ type, scale, delta }, stage) ? 2 : 1;
  }
  return rows;
}
