import { rowBudget, type MeasuredCosts, type SteeredCosts } from '../../costs.js';
import type { Device } from '../../device.js';
import type { Calibration, CalibrationTime } from '../../messages.js';
import { CalibrationFile, fieldsOf } from './cache.js';
import { measurePictures } from './measure-pictures.js';
import type { Row, RowValues } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import { median, msOf, stillTakes, usualCounts } from './timing.js';
import type { SteeredLayout } from '../../../model/layout/steered.js';
import type { FeatureSource } from '../networks/control-networks.js';
import type { ModelRuntime } from '../networks/runtime.js';
import { usualSize, type Shape } from '../networks/sizes.js';
import { blankRow } from '../networks/unet.js';

/**
 * Rounds over all row counts, of which the median counts: a short disturbance then affects only one time of each. On a
 * slow device, which is disturbed less, the fewest rounds are enough.
 */
const rounds = { fewest: 3, most: 5, enoughMs: 2000 };
/** Rows of the calls in which both U-Nets are compared. */
const comparedRows = 4;

export interface MeasureOptions {
  readonly device: Device;
  readonly threads: number;
  /** Folder in which results are saved; null measures at each start. */
  readonly cacheDirectory: string | null;
  readonly calibration: Calibration;
  readonly onProgress: (what: string) => void;
  /** Called before each call of the networks; throws to stop. */
  readonly proceed: () => void;
  /** Receives notes for the operator. */
  readonly onNote: (text: string) => void;
}

/** The networks to measure. */
type Networks = Pick<
  ModelRuntime,
  'folder' | 'latentShape' | 'encode' | 'encodeOne' | 'decode' | 'decodeOne' | 'predict'
> & {
  readonly controls: FeatureSource | null;
};

/** Costs, and when they were measured. */
interface DatedCosts extends MeasuredCosts {
  readonly calibration: CalibrationTime;
}

/**
 * Warms all networks up, and times the U-Net at 1, 2, 4 and 8 rows, and the VAE at a picture a call and at several, at
 * the model's default size. Results are saved by model, device, CPU, thread count and Node version, until the machine
 * proves faster or slower than they say. If the model can be steered by pictures, what that costs is measured with them.
 */
export async function measureCosts(runtime: Networks, options: MeasureOptions): Promise<DatedCosts> {
  const plain = await measurePlain(runtime, options);
  const { steered } = runtime.folder.layout;
  if (steered === null) return plain;
  const calibration = plain.calibration.isKept ? options.calibration : 'fresh';
  return { ...plain, steered: await measureSteered(runtime, steered, { ...options, calibration }) };
}

async function measurePlain(runtime: Networks, options: MeasureOptions): Promise<DatedCosts> {
  const { device, threads, cacheDirectory, calibration, proceed, onNote } = options;
  const size = usualSize(runtime.folder);
  const shape = runtime.latentShape(size);
  options.onProgress('warming up');
  const image = new Uint8Array(size.width * size.height * 3);
  const out = new Uint8ClampedArray(image.length);
  const picture = async (): Promise<void> => {
    proceed();
    await runtime.decodeOne(await runtime.encodeOne(image, size), size, out);
  };
  await picture();
  const row = blankRow(runtime.folder, shape, 500);
  const call = async (rows: number): Promise<void> => {
    proceed();
    await runtime.predict(
      Array.from({ length: rows }, () => row),
      shape,
    );
  };
  await call(1);

  const { file } = runtime.folder.layout.unet.graph;
  const facts = { file, shape, device, threads };
  const place = cacheDirectory === null ? null : { directory: cacheDirectory, onNote };
  const cache = place && (await CalibrationFile.for(place, 'costs', facts, isMeasured));
  const known = calibration === 'fresh' ? null : await cache?.read();
  if (known && (calibration === 'kept' || (await stillHold(known.value, { call, picture })))) {
    return { ...known.value, calibration: { at: known.savedAt, isKept: true } };
  }
  options.onProgress('measuring the cost of a U-Net call');
  const times = await measureAll({ call, picture });
  const { pictureMs: aloneMs, costs } = times;
  const pictureCosts = await measurePictures(runtime, { ...options, aloneMs, most: rowBudget(costs) });
  const measured = { ...times, pictureCosts };
  await cache?.write(measured);
  return { ...measured, calibration: { at: new Date(), isKept: false } };
}

/** Compares the steered U-Net with the plain one, in alternation, so that other load on the machine affects both. */
async function measureSteered(
  runtime: Networks,
  steered: SteeredLayout,
  { device, threads, cacheDirectory, calibration, proceed, onNote, onProgress }: MeasureOptions,
): Promise<SteeredCosts> {
  const { folder } = runtime;
  const { unet, controls } = steered;
  const size = usualSize(folder);
  const shape = runtime.latentShape(size);
  const facts = { file: unet.graph.file, shape, device, threads };
  const place = cacheDirectory === null ? null : { directory: cacheDirectory, onNote };
  const cache = place && (await CalibrationFile.for(place, 'steered', facts, isSteered));
  const known = calibration === 'fresh' ? null : await cache?.read();
  if (known) return known.value;
  const calls = comparedRowsOf(folder, steered, shape).map((row) => {
    const rows = Array.from({ length: comparedRows }, () => row);
    const kept = (row.conditioning['bank_mask']?.length ?? 0) > 0 ? [] : undefined;
    return () => runtime.predict(rows, shape, kept);
  });
  const image = new Uint8Array(size.width * size.height * 3);
  const features = controls.map(
    ({ name }) =>
      () =>
        runtime.controls?.features(name, image, size),
  );
  const trials = [...calls, ...features].map((action) => ({ action, times: [] as number[] }));
  // The first round warms up.
  for (let round = 0; round <= rounds.fewest; round++) {
    for (const { action, times } of trials) {
      // Each time, since calls of a large model are long, and a thread that is silent for long is ended.
      onProgress('measuring the cost of steering');
      proceed();
      const ms = await msOf(async () => action());
      if (round > 0) times.push(ms);
    }
  }
  const medians = trials.map(({ times }) => median(times));
  const [plainMs = 1, steeredMs = 1, bankMs = 1] = medians;
  const controlMs = medians.slice(calls.length - controls.length, calls.length);
  const added = (...ms: readonly number[]): number => Math.max(0, Math.max(...ms) - steeredMs) / plainMs;
  const measured = {
    ratio: steeredMs / plainMs,
    controlRatio: added(...controlMs),
    bankRatio: added(bankMs),
    featuresMs: Math.max(0, ...medians.slice(calls.length)),
  };
  await cache?.write(measured);
  return measured;
}

/**
 * Returns a row of the plain U-Net, and rows of the steered one: one that uses nothing of it, one with a bank of one
 * frame, and one with each control.
 */
function comparedRowsOf(
  folder: ModelFolder,
  { unet, controls }: SteeredLayout,
  shape: Shape,
): readonly Row[] {
  const plain = blankRow(folder, shape, 500);
  const { conditioning: all } = blankRow(folder, shape, 500, { unet });
  const steered = (values: RowValues): Row => ({
    ...plain,
    conditioning: { ...plain.conditioning, bank_mask: new Float32Array(0), ...values },
  });
  const bank = Object.entries(all).filter(([name]) => name.startsWith('bank_'));
  return [
    plain,
    steered({}),
    steered(Object.fromEntries(bank)),
    ...controls.map(({ features, scale }) => {
      const names = new Set(features.map(({ input }) => input.port.name));
      const maps = Object.entries(all).filter(([name]) => names.has(name));
      return steered({ ...Object.fromEntries(maps), [scale]: Float32Array.of(1) });
    }),
  ];
}

interface Trials {
  readonly call: (rows: number) => Promise<void>;
  readonly picture: () => Promise<void>;
}

/** Measures all costs: the medians over the rounds. */
async function measureAll({ call, picture }: Trials): Promise<MeasuredCosts> {
  const calls = usualCounts.map((rows) => ({ rows, times: [] as number[] }));
  const pictures: number[] = [];
  for (const rows of usualCounts) await call(rows);
  const { fewest, most, enoughMs } = rounds;
  const start = performance.now();
  while (pictures.length < fewest || (pictures.length < most && performance.now() - start < enoughMs)) {
    for (const { rows, times } of calls) times.push(await msOf(() => call(rows)));
    pictures.push(await msOf(picture));
  }
  return {
    costs: calls.map(({ rows, times }) => ({ rows, ms: median(times) })),
    pictureMs: median(pictures),
  };
}

/** Returns whether a call of one row and a picture take about as long as the saved times say. */
async function stillHold(
  { costs: [one], pictureMs }: MeasuredCosts,
  { call, picture }: Trials,
): Promise<boolean> {
  const both = async (): Promise<void> => {
    await call(1);
    await picture();
  };
  return one !== undefined && (await stillTakes(one.ms + pictureMs, both));
}

function isMeasured(value: unknown): value is MeasuredCosts {
  const { costs, pictureMs, pictureCosts } = fieldsOf(value);
  return isTime(pictureMs) && isCurve(costs, usualCounts.length) && isCurve(pictureCosts, 1);
}

function isSteered(value: unknown): value is SteeredCosts {
  const { ratio, ...added } = fieldsOf(value);
  const each = ['controlRatio', 'bankRatio', 'featuresMs'].map((name) => added[name]);
  return isTime(ratio) && each.every((one) => typeof one === 'number' && one >= 0);
}

/** Returns whether a value is a curve over the first usual counts. @param least number of them. */
function isCurve(value: unknown, least: number): boolean {
  if (!Array.isArray(value) || value.length < least || value.length > usualCounts.length) return false;
  const points = value.map(fieldsOf);
  return points.every(({ rows, ms }, i) => rows === usualCounts[i] && isTime(ms));
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}
