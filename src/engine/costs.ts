import type { StreamParameters } from '@millrace/protocol';
import { rowCount } from '../diffusion/guidance.js';
import { activeControlNames, hasStyle } from './active-controls.js';

// The cost of work on a device, by its calibration. Used by calibration, the engine, admission and `millrace doctor`.

/** Measured milliseconds of one U-Net call by its number of rows, ascending, at the model's default size. */
export type CostCurve = readonly { readonly rows: number; readonly ms: number }[];

/** What streams cost that are steered by pictures or earlier frames. */
export interface SteeredCosts {
  /** Time of a call of the steered U-Net over that of the plain one, if its rows use neither controls nor a bank. */
  readonly ratio: number;
  /** What a control that is on adds to the ratio. */
  readonly controlRatio: number;
  /** What each frame in the attention bank adds to the ratio. */
  readonly bankRatio: number;
  /** Milliseconds of one control network, once for each picture of the model's default size. */
  readonly featuresMs: number;
}

/** What rows of the steered U-Net use. */
export interface SteeredUse {
  /** Controls that are on. */
  readonly controls: number;
  readonly bankFrames: number;
}

/** The results of calibration. */
export interface MeasuredCosts {
  readonly costs: CostCurve;
  /** Milliseconds to encode and decode one picture of the model's default size. */
  readonly pictureMs: number;
  /**
   * Milliseconds to encode and decode several pictures in one call each, by their number from 1 on; absent if this is
   * not known.
   */
  readonly pictureCosts?: CostCurve;
  /** Absent if the model cannot be steered so. */
  readonly steered?: SteeredCosts;
}

/** The costs of a device, known before it gets any work. */
export interface Costs extends MeasuredCosts {
  /** Most rows of one U-Net call: more would only add latency. */
  readonly rowBudget: number;
  /** Of several devices: the costs of the one with the longest call. Absent for a single device. */
  readonly slowest?: MeasuredCosts;
  /** The memory of attention banks; absent if the model has none. */
  readonly bank?: BankCosts;
}

/** The memory of attention banks. */
interface BankCosts {
  /** Most bytes of all banks together. */
  readonly limit: number;
  /** Bytes that one row keeps of one frame, at the model's default size. */
  readonly rowBytes: number;
}

/** Work for an engine: rows of U-Net calls, and milliseconds to encode and decode the pictures. */
export interface Work {
  readonly rows: number;
  readonly pictureMs: number;
}

/**
 * Returns the milliseconds of a U-Net call: linear between measured sizes, proportional beyond the largest.
 * @throws {RangeError} if the curve is empty.
 */
export function cost(curve: CostCurve, rows: number): number {
  const above = curve.findIndex((point) => point.rows >= rows);
  // at(-1), if there is none above, is the last point.
  const high = curve.at(above);
  if (high === undefined) throw new RangeError('the cost curve is empty');
  const low = curve[above - 1];
  if (low === undefined) return (high.ms * rows) / high.rows;
  return low.ms + ((high.ms - low.ms) * (rows - low.rows)) / (high.rows - low.rows);
}

/** Returns the rows of the smallest call within 5% of the best cost per row: larger calls only add latency. */
export function rowBudget(curve: CostCurve): number {
  const best = Math.min(...curve.map(({ rows, ms }) => ms / rows));
  return curve.find(({ rows, ms }) => ms / rows <= best * 1.05)?.rows ?? 1;
}

/** Returns the most pictures that are encoded or decoded in one call. */
export function pictureBudget({ pictureCosts = [] }: Pick<MeasuredCosts, 'pictureCosts'>): number {
  return rowBudget(pictureCosts);
}

/** Milliseconds of work at any size, by calibration: assumed proportional to the area. */
export class ExpectedCosts {
  readonly #measured: MeasuredCosts;
  readonly #positions: number;

  /** @param shape of the latents that were measured: [channels, height, width]. */
  constructor(measured: MeasuredCosts, [, height, width]: readonly [number, number, number]) {
    this.#measured = measured;
    this.#positions = height * width;
  }

  /**
   * Returns the milliseconds of a U-Net call with rows of this shape: [channels, height, width].
   * @param use what its rows use of the steered U-Net; null if they take the plain one.
   */
  call(
    rows: number,
    [, height, width]: readonly [number, number, number],
    use: SteeredUse | null = null,
  ): number {
    const ratio = ratioOf(this.#measured, use);
    return (ratio * cost(this.#measured.costs, rows) * height * width) / this.#positions;
  }

  /**
   * Returns the milliseconds to encode and decode a picture whose latent has this shape.
   * @param together pictures that share the calls.
   */
  picture([, height, width]: readonly [number, number, number], together = 1): number {
    return (pictureMs(this.#measured, together) * height * width) / this.#positions;
  }
}

/** Returns the milliseconds to encode and decode a picture of the default size, in calls with this many pictures. */
function pictureMs({ pictureMs: alone, pictureCosts = [] }: MeasuredCosts, together: number): number {
  return together > 1 && pictureCosts.length > 0 ? cost(pictureCosts, together) / together : alone;
}

/** Returns the rows per second of a device, in calls of the best size within the budget; 0 if none was measured. */
export function rowsPerSecond({ costs, rowBudget: budget }: Pick<Costs, 'costs' | 'rowBudget'>): number {
  const rates = costs.filter(({ rows }) => rows <= budget).map(({ rows, ms }) => (rows / ms) * 1000);
  return Math.max(0, ...rates);
}

/**
 * Returns the longest time for which a frame of a stream with these parameters occupies a device without a break, at
 * the model's default size: one U-Net call, and encoding and decoding; on the slowest of several devices.
 */
export function unbrokenMs(all: Costs, parameters: StreamParameters): number {
  const measured = all.slowest ?? all;
  // Residual guidance has a negative row in the first step at most.
  const rows = rowsAtStage(parameters, 0);
  const ms = measured.pictureMs + featuresMs(measured, parameters);
  return ms + rowRatio(measured, parameters) * cost(measured.costs, rows);
}

/**
 * Returns the work of one frame of a stream with these parameters, at the model's default size, where frames enter and
 * leave in calls of the best size. Rows of the steered U-Net count as more than one.
 */
export function frameWork(costs: Costs, parameters: StreamParameters): Work {
  const together = Math.min(costs.rowBudget, pictureBudget(costs));
  return {
    rows: rowRatio(costs, parameters) * rowsPerFrame(parameters),
    pictureMs: pictureMs(costs, together) + featuresMs(costs, parameters),
  };
}

/** Returns the bytes of the attention bank of such a stream, at the model's default size. */
export function streamBankBytes({ bank }: Costs, parameters: StreamParameters): number {
  return parameters.attention_bank_frames * rowsPerFrame(parameters) * (bank?.rowBytes ?? 0);
}

/** Returns what a row costs, where 1 is a row of the plain U-Net. */
function rowRatio(measured: MeasuredCosts, parameters: StreamParameters): number {
  const use = {
    controls: activeControlNames(parameters).length,
    bankFrames: parameters.attention_bank_frames,
  };
  const isSteered = use.controls + use.bankFrames > 0 || hasStyle(parameters);
  return ratioOf(measured, isSteered ? use : null);
}

function ratioOf({ steered }: MeasuredCosts, use: SteeredUse | null): number {
  if (!steered || use === null) return 1;
  return steered.ratio + use.controls * steered.controlRatio + use.bankFrames * steered.bankRatio;
}

/** Returns the milliseconds for the control pictures of a frame. */
function featuresMs({ steered }: MeasuredCosts, parameters: StreamParameters): number {
  return activeControlNames(parameters).length * (steered?.featuresMs ?? 0);
}

/** Returns the U-Net calls (the last may be smaller) and milliseconds for work that is all ready at once. */
export function workTime(
  { costs, rowBudget: budget }: Pick<Costs, 'costs' | 'rowBudget'>,
  { rows, pictureMs: ms }: Work,
): { readonly calls: number; readonly ms: number } {
  const full = Math.floor(rows / budget);
  const rest = rows - full * budget;
  const calls = full + (rest > 0 ? 1 : 0);
  return { calls, ms: ms + full * cost(costs, budget) + (rest > 0 ? cost(costs, rest) : 0) };
}

/** Returns the frames per second of a device for streams with these parameters, at the model's default size. */
export function framesPerSecond(costs: Costs, parameters: StreamParameters): number {
  return 1000 / frameMs(costs, parameters);
}

/**
 * Returns the milliseconds of one frame at the model's default size: encoding, its U-Net rows in calls of the best
 * size, and decoding.
 */
export function frameMs(costs: Costs, parameters: StreamParameters): number {
  const work = frameWork(costs, parameters);
  return work.pictureMs + (work.rows * 1000) / rowsPerSecond(costs);
}

/** Returns whether the predictions of two prompts are composed, instead of their embeddings. */
export function isComposed({ prompt_composition: composition }: StreamParameters): boolean {
  return composition !== 'mix';
}

/** Returns how many rows a frame of a stream with these parameters needs at this stage. */
export function rowsAtStage(parameters: StreamParameters, stage: number): number {
  const { cfg_type: type, guidance_scale: scale, delta } = parameters;
  return rowCount({ type, scale, delta }, stage, isComposed(parameters));
}

function rowsPerFrame(parameters: StreamParameters): number {
  const { steps, t_index_list: list } = parameters;
  let rows = 0;
  for (let stage = 0; stage < (list?.length ?? steps); stage++) rows += rowsAtStage(parameters, stage);
  return rows;
}

/** Returns the costs of a device on which everything takes `factor` times as long. */
export function slowedBy(
  factor: number,
  { costs, rowBudget: budget, pictureMs: ms, pictureCosts, steered, bank }: Costs,
): Costs {
  const slowed = (curve: CostCurve): CostCurve => curve.map((point) => ({ ...point, ms: point.ms * factor }));
  return {
    costs: slowed(costs),
    rowBudget: budget,
    pictureMs: ms * factor,
    ...(pictureCosts && { pictureCosts: slowed(pictureCosts) }),
    ...(steered && { steered: { ...steered, featuresMs: steered.featuresMs * factor } }),
    ...(bank && { bank }),
  };
}

/** Returns the costs of several devices that work in parallel, as if they were one. */
export function combined(devices: readonly Costs[]): Costs {
  const callMs = ({ costs, pictureMs: ms }: MeasuredCosts): number => cost(costs, 1) + ms;
  const [slowest] = devices.toSorted((a, b) => callMs(b) - callMs(a));
  const steered = devices.flatMap((device) => device.steered ?? []);
  const banks = devices.flatMap((device) => device.bank ?? []);
  return {
    ...(devices.length > 1 && slowest && { slowest }),
    costs: combinedCurve(devices.map(({ costs }) => costs)),
    rowBudget: devices.reduce((sum, device) => sum + device.rowBudget, 0),
    pictureMs: combinedMs(devices.map(({ pictureMs: ms }) => ms)),
    ...combinedPictures(devices.map(({ pictureCosts = [] }) => pictureCosts)),
    ...(steered.length > 0 && {
      steered: {
        ratio: Math.max(...steered.map(({ ratio }) => ratio)),
        controlRatio: Math.max(...steered.map(({ controlRatio }) => controlRatio)),
        bankRatio: Math.max(...steered.map(({ bankRatio }) => bankRatio)),
        featuresMs: combinedMs(steered.map(({ featuresMs }) => featuresMs)),
      },
    }),
    ...(banks.length > 0 && {
      bank: {
        limit: banks.reduce((sum, { limit }) => sum + limit, 0),
        rowBytes: Math.max(...banks.map(({ rowBytes }) => rowBytes)),
      },
    }),
  };
}

/** Returns the milliseconds between two pieces of work that devices do in so many milliseconds each, in parallel. */
function combinedMs(each: readonly number[]): number {
  return 1 / each.reduce((rate, ms) => rate + 1 / ms, 0);
}

/** Returns the curve of pictures, up to the number that all devices were measured with; none if one was not. */
function combinedPictures(curves: readonly CostCurve[]): Pick<MeasuredCosts, 'pictureCosts'> {
  const length = Math.min(...curves.map((curve) => curve.length));
  return length > 0 ? { pictureCosts: combinedCurve(curves.map((curve) => curve.slice(0, length))) } : {};
}

/** Returns one curve for several devices: the sum of their rows, at the sum of their rates. */
function combinedCurve(curves: readonly CostCurve[]): CostCurve {
  const [first = []] = curves;
  return first.map(({ rows }, i) => {
    const rate = curves.reduce((sum, curve) => sum + 1 / (curve[i]?.ms ?? Infinity), 0);
    return { rows: rows * curves.length, ms: curves.length / rate };
  });
}
