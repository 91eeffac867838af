import type { StreamParameters } from '@millrace/protocol';
import { needsNegative } from '../diffusion/guidance.js';

// What work costs on a device, from what calibration measured there. Calibration, the engine, admission and
// `millrace doctor` all ask here.

/** Measured milliseconds of one U-Net call by its number of rows, in rising order, at the model's default size. */
export type CostCurve = readonly { readonly rows: number; readonly ms: number }[];

/** What calibration measures. */
export interface MeasuredCosts {
  readonly costs: CostCurve;
  /** Milliseconds to encode and decode one picture of the model's default size. */
  readonly pictureMs: number;
}

/** What is known of a device before it is given work. */
export interface Costs extends MeasuredCosts {
  /** Most rows of one U-Net call: more would only add waiting. */
  readonly rowBudget: number;
}

/** Work for an engine: rows of U-Net calls, and milliseconds to encode and decode the pictures. */
export interface Work {
  readonly rows: number;
  readonly pictureMs: number;
}

/**
 * Milliseconds of a U-Net call: as measured; between measured sizes linear; beyond the largest in proportion.
 * @throws {RangeError} if the curve is empty.
 */
export function cost(curve: CostCurve, rows: number): number {
  const above = curve.findIndex((point) => point.rows >= rows);
  // -1, if there is none above, stands for the last.
  const high = curve.at(above);
  if (high === undefined) throw new RangeError('the cost curve is empty');
  const low = curve[above - 1];
  if (low === undefined) return (high.ms * rows) / high.rows;
  return low.ms + ((high.ms - low.ms) * (rows - low.rows)) / (high.rows - low.rows);
}

/** The smallest call whose cost per row is within 5% of the best: larger ones only add waiting. */
export function rowBudget(curve: CostCurve): number {
  const best = Math.min(...curve.map(({ rows, ms }) => ms / rows));
  return curve.find(({ rows, ms }) => ms / rows <= best * 1.05)?.rows ?? 1;
}

/**
 * What `denoise: auto` means for frames of n steps: the stream batch where it gives more frames a second by at
 * least a tenth, since it costs n - 1 frames of latency. (On CPUs a call of n rows costs about n calls.)
 * @param rowsPerStep 2 where each step has a negative row, else 1.
 */
export function preferredDenoise(
  curve: CostCurve,
  steps: number,
  rowsPerStep: number,
): 'stream' | 'sequential' {
  const together = cost(curve, steps * rowsPerStep);
  const oneByOne = steps * cost(curve, rowsPerStep);
  return together < 0.9 * oneByOne ? 'stream' : 'sequential';
}

/** Milliseconds that calibration expects of work at any size, taken as in proportion to the area. */
export class ExpectedCosts {
  readonly #measured: MeasuredCosts;
  readonly #positions: number;

  /** @param shape of the latents that were measured: [channels, height, width]. */
  constructor(measured: MeasuredCosts, [, height, width]: readonly [number, number, number]) {
    this.#measured = measured;
    this.#positions = height * width;
  }

  /** A U-Net call with rows of this shape: [channels, height, width]. */
  call(rows: number, [, height, width]: readonly [number, number, number]): number {
    return (cost(this.#measured.costs, rows) * height * width) / this.#positions;
  }

  /** Encoding and decoding a picture whose latent has this shape. */
  picture([, height, width]: readonly [number, number, number]): number {
    return (this.#measured.pictureMs * height * width) / this.#positions;
  }
}

/** Rows that a device can do in a second, with calls of the best size within the budget; 0 if none was measured. */
export function rowsPerSecond({ costs, rowBudget: budget }: Pick<Costs, 'costs' | 'rowBudget'>): number {
  const rates = costs.filter(({ rows }) => rows <= budget).map(({ rows, ms }) => (rows / ms) * 1000);
  return Math.max(0, ...rates);
}

/** One frame of a stream with these parameters, at the model's default size. */
export function frameWork({ pictureMs }: Costs, parameters: StreamParameters): Work {
  return { rows: rowsPerFrame(parameters), pictureMs };
}

/** U-Net calls, of which the last may be smaller, and milliseconds of work that comes all at one moment. */
export function workTime(
  { costs, rowBudget: budget }: Costs,
  { rows, pictureMs }: Work,
): { readonly calls: number; readonly ms: number } {
  const full = Math.floor(rows / budget);
  const rest = rows - full * budget;
  const calls = full + (rest > 0 ? 1 : 0);
  return { calls, ms: pictureMs + full * cost(costs, budget) + (rest > 0 ? cost(costs, rest) : 0) };
}

/** Frames of streams with these parameters that a device can make in a second, at the model's default size. */
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

/** The costs of a device on which everything takes `factor` times as long. */
export function slowedBy(factor: number, { costs, rowBudget: budget, pictureMs }: Costs): Costs {
  return {
    costs: costs.map(({ rows, ms }) => ({ rows, ms: ms * factor })),
    rowBudget: budget,
    pictureMs: pictureMs * factor,
  };
}

/** The costs of several devices that work at the same time, as if they were one. */
export function combined(devices: readonly Costs[]): Costs {
  return {
    costs: together(devices.map(({ costs }) => costs)),
    rowBudget: devices.reduce((sum, device) => sum + device.rowBudget, 0),
    pictureMs: 1 / devices.reduce((rate, device) => rate + 1 / device.pictureMs, 0),
  };
}

/** One curve for several devices: all their rows, at the rate of all together. */
function together(curves: readonly CostCurve[]): CostCurve {
  const [first = []] = curves;
  return first.map(({ rows }, i) => {
    const rate = curves.reduce((sum, curve) => sum + 1 / (curve[i]?.ms ?? Infinity), 0);
    return { rows: rows * curves.length, ms: curves.length / rate };
  });
}
