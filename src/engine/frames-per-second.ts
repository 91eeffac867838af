import type { StreamParameters } from '@millrace/protocol';
import type { CostCurve } from './messages.js';
import { rowsPerSecond } from './rows-per-second.js';

export interface Costs {
  readonly costs: CostCurve;
  readonly rowBudget: number;
  readonly pictureMs: number;
}

/**
 * Frames that a device can make in a second of streams with such parameters, at the model's default size: each is
 * encoded, goes through the U-Net for each of its rows, in calls of the best size, and is decoded.
 */
export function framesPerSecond(costs: Costs, parameters: StreamParameters): number {
  const rowMs = 1000 / rowsPerSecond(costs);
  return 1000 / (costs.pictureMs + rowsPerFrame(parameters) * rowMs);
}

function rowsPerFrame({ steps, t_index_list: list, cfg_type }: StreamParameters): number {
  return (list?.length ?? steps) * (cfg_type === 'full' ? 2 : 1);
}
