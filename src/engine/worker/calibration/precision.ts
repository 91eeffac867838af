import type { ModelFolder } from '../../../model/folder.js';
import { ModelError } from '../../../model/model-error.js';
import type { Calibration, CalibrationTime, Precision } from '../../messages.js';
import { CalibrationFile, fieldsOf } from './cache.js';
import { calibrationDate } from '../../calibration-date.js';
import { median, msOf, stillTakes } from './timing.js';
import { NotFiniteError } from '../networks/finite.js';
import { ModelRuntime, type RuntimeOptions } from '../networks/runtime.js';
import { Resources } from '../networks/resources.js';
import { TrialPicture } from './trial-picture.js';

export interface PrecisionOptions extends Required<RuntimeOptions> {
  readonly precision: Precision;
  readonly calibration: Calibration;
  readonly onProgress: (what: string) => void;
  /** Called before each call of the networks; throws to stop. */
  readonly proceed: () => void;
}

/** The loaded networks, and one sentence on why they were chosen; null if there was no choice. */
export interface ChosenRuntime {
  readonly runtime: ModelRuntime;
  readonly because: string | null;
}

/** Time of a frame in floats and in 8 bits, and the peak signal-to-noise ratio between the pictures, in decibels. */
interface Comparison {
  readonly floatMs: number;
  readonly int8Ms: number;
  readonly decibels: number;
}

const rounds = 5;
/** 8 bits are used only if they take less than this share of the time of floats. */
const maxInt8Ratio = 0.95;
/**
 * 8 bits are used only from this similarity on. CPUs without instructions for dot products of bytes use sums that
 * overflow, and the pictures are then wrong.
 */
const minDecibels = 26;

/**
 * Loads a model in floats or, on the CPU and if it has such graphs, in 8 bits. `auto` compares both: it takes 8 bits if
 * they are faster and the pictures match, and saves the result until the machine proves faster or slower than it says.
 * @throws {ModelError} if 8 bits are requested and not available, or a network cannot be loaded.
 */
export async function loadPrecision(folder: ModelFolder, options: PrecisionOptions): Promise<ChosenRuntime> {
  const { precision, calibration, device, onProgress } = options;
  await using loaded = new Resources();
  const load = async (layout: ModelFolder['layout']): Promise<ModelRuntime> =>
    loaded.use(await ModelRuntime.load({ ...folder, layout }, options, onProgress));
  const choose = (runtime: ModelRuntime, because: string | null): ChosenRuntime => {
    loaded.move();
    return { runtime, because };
  };
  const int8 = device.provider === 'cpu' ? folder.int8 : null;
  if (precision === 'int8' && !int8) {
    const lack = folder.int8 ? 'only the CPU can compute in 8 bits' : 'the model has no 8-bit graphs';
    throw new ModelError(folder.root, `${lack}; set precision to auto or float`);
  }
  if (!int8 || precision === 'float') return choose(await load(folder.layout), null);
  if (precision === 'int8') return choose(await load(int8), 'computing in 8 bits, as requested');

  const cache = await cacheFor(int8, folder, options);
  const known = calibration === 'fresh' ? null : await cache?.read();
  if (known) {
    const runtime = await load(isBetter(known.value) ? int8 : folder.layout);
    if (calibration === 'kept' || (await stillHolds(known.value, runtime, options.proceed))) {
      return choose(runtime, describe(known.value, { at: known.savedAt, isKept: true }));
    }
    await runtime[Symbol.asyncDispose]();
  }
  const inFloats = await load(folder.layout);
  const in8Bits = await load(int8);
  onProgress('comparing floats and 8 bits');
  const comparison = await compare(inFloats, in8Bits, options.proceed).catch((error: unknown) => {
    // If 8 bits give NaN, floats may not; if they do too, the next trial picture fails.
    if (error instanceof NotFiniteError) return { floatMs: 0, int8Ms: 0, decibels: 0 };
    throw error;
  });
  await cache?.write(comparison);
  const [runtime, other] = isBetter(comparison) ? [in8Bits, inFloats] : [inFloats, in8Bits];
  await other[Symbol.asyncDispose]();
  return choose(runtime, describe(comparison, { at: new Date(), isKept: false }));
}

/** Returns whether the chosen one takes about as long as the comparison says. */
async function stillHolds(kept: Comparison, runtime: ModelRuntime, proceed: () => void): Promise<boolean> {
  const keptMs = isBetter(kept) ? kept.int8Ms : kept.floatMs;
  // Without times: 8 bits gave NaN.
  if (keptMs === 0) return true;
  const trial = new TrialPicture(runtime);
  const draw = (): Promise<unknown> => {
    proceed();
    return trial.draw();
  };
  try {
    // The first picture warms up.
    await draw();
    return await stillTakes(keptMs, draw);
  } catch (error) {
    if (error instanceof NotFiniteError) return false;
    throw error;
  }
}

function isBetter({ floatMs, int8Ms, decibels }: Comparison): boolean {
  return int8Ms < floatMs * maxInt8Ratio && decibels >= minDecibels;
}

function describe(comparison: Comparison, time: CalibrationTime): string {
  const { floatMs, int8Ms, decibels } = comparison;
  const frame =
    `a frame takes ${int8Ms.toPrecision(3)} ms in 8 bits and ${floatMs.toPrecision(3)} ms in floats ` +
    `(${calibrationDate(time)})`;
  if (isBetter(comparison)) return `computing in 8 bits: ${frame}`;
  return decibels < minDecibels
    ? `computing in floats: 8 bits give different pictures on this CPU (${calibrationDate(time)})`
    : `computing in floats: ${frame}`;
}

async function compare(
  inFloats: ModelRuntime,
  in8Bits: ModelRuntime,
  proceed: () => void,
): Promise<Comparison> {
  const drawn: Uint8ClampedArray[] = [];
  const times: [number[], number[]] = [[], []];
  const trials = [inFloats, in8Bits].map((runtime) => new TrialPicture(runtime));
  // The first round warms up. The two alternate, so that other load on the machine affects both.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, trial] of trials.entries()) {
      proceed();
      const ms = await msOf(async () => (drawn[i] = await trial.draw()));
      if (round > 0) times[i]?.push(ms);
    }
  }
  const [floatMs, int8Ms] = [median(times[0]), median(times[1])];
  const [a = [], b = []] = drawn;
  return { floatMs, int8Ms, decibels: psnr(a, b) };
}

/** Returns the peak signal-to-noise ratio of two pictures, in decibels. */
function psnr(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let error = 0;
  for (let i = 0; i < a.length; i++) error += ((a[i] ?? 0) - (b[i] ?? 0)) ** 2;
  return 10 * Math.log10(255 ** 2 / Math.max(error / a.length, 0.01));
}

async function cacheFor(
  { unet }: ModelFolder['layout'],
  folder: ModelFolder,
  { cacheDirectory: directory, device, threads, onNote }: PrecisionOptions,
): Promise<CalibrationFile<Comparison> | null> {
  if (directory === null) return null;
  const { latentChannels, defaults } = folder;
  const shape = [latentChannels, defaults.height ?? 0, defaults.width ?? 0];
  const facts = { file: unet.graph.file, shape, device, threads };
  return CalibrationFile.for({ directory, onNote }, 'precision', facts, isComparison);
}

function isComparison(value: unknown): value is Comparison {
  const { floatMs, int8Ms, decibels } = fieldsOf(value);
  return [floatMs, int8Ms, decibels].every(Number.isFinite);
}
