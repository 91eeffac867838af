import type { MeasuredCosts, SteeredCosts } from '../../costs.js';
import type { Device } from '../../device.js';
import { CalibrationFile, fieldsOf } from './cache.js';
import type { Row, RowValues } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { SteeredLayout } from '../../../model/layout/steered.js';
import type { FeatureSource } from '../networks/control-networks.js';
import type { ModelRuntime } from '../networks/runtime.js';
import { usualSize, type Shape } from '../networks/sizes.js';
import { blankRow } from '../networks/unet.js';

const rowCounts = [1, 2, 4, 8];
/** Rounds over all row counts: a short disturbance then affects only one time of each. */
const rounds = 3;
/** Saved times are measured again if the current time is below this share of them. */
const minRatio = 0.85;
/** Rows of the calls in which both U-Nets are compared. */
const comparedRows = 4;

export interface MeasureOptions {
  readonly device: Device;
  readonly threads: number;
  /** Folder in which results are saved; null measures at each start. */
  readonly cacheDirectory: string | null;
  readonly onProgress: (what: string) => void;
  /** Called before each call of the networks; throws to stop. */
  readonly proceed: () => void;
  /** Receives notes for the operator. */
  readonly onNote: (text: string) => void;
}

/** The networks to measure. */
type Networks = Pick<ModelRuntime, 'folder' | 'latentShape' | 'encode' | 'decode' | 'predict'> & {
  readonly controls: FeatureSource | null;
};

/**
 * Warms all networks up, and times the U-Net at 1, 2, 4 and 8 rows and the VAE, at the model's default size. Results
 * are saved by model, device, CPU, thread count and Node version, until the machine proves faster than they say. If the
 * model can be steered by pictures, what that costs is measured too, once.
 */
export async function measureCosts(runtime: Networks, options: MeasureOptions): Promise<MeasuredCosts> {
  const plain = await measurePlain(runtime, options);
  const { steered } = runtime.folder.layout;
  return steered === null ? plain : { ...plain, steered: await measureSteered(runtime, steered, options) };
}

async function measurePlain(runtime: Networks, options: MeasureOptions): Promise<MeasuredCosts> {
  const { device, threads, cacheDirectory, proceed, onNote } = options;
  const size = usualSize(runtime.folder);
  const shape = runtime.latentShape(size);
  options.onProgress('warming up');
  const image = new Uint8Array(size.width * size.height * 3);
  const out = new Uint8ClampedArray(image.length);
  const picture = async (): Promise<void> => {
    proceed();
    await runtime.decode(await runtime.encode(image, size), size, out);
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
  const known = await cache?.read();
  if (known && !(await isFasterNow(known, { call, picture }))) return known;
  options.onProgress('measuring the cost of a U-Net call');
  const measured = await measureAll({ call, picture });
  await cache?.write(measured);
  return measured;
}

/** Compares the steered U-Net with the plain one, in alternation, so that other load on the machine affects both. */
async function measureSteered(
  runtime: Networks,
  steered: SteeredLayout,
  { device, threads, cacheDirectory, onNote, onProgress }: MeasureOptions,
): Promise<SteeredCosts> {
  const { folder } = runtime;
  const { unet, controls } = steered;
  const size = usualSize(folder);
  const shape = runtime.latentShape(size);
  const facts = { file: unet.graph.file, shape, device, threads };
  const place = cacheDirectory === null ? null : { directory: cacheDirectory, onNote };
  const cache = place && (await CalibrationFile.for(place, 'steered', facts, isSteered));
  const known = await cache?.read();
  if (known) return known;
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
  const least = [...calls, ...features].map(() => Infinity);
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, action] of [...calls, ...features].entries()) {
      // Each time, since calls of a large model are long, and a thread that is silent for long is ended.
      onProgress('measuring the cost of steering');
      const ms = await msOf(async () => void (await action()));
      if (round > 0) least[i] = Math.min(least[i] ?? Infinity, ms);
    }
  }
  const [plainMs = 1, steeredMs = 1, bankMs = 1] = least;
  const controlMs = least.slice(calls.length - controls.length, calls.length);
  const added = (...ms: readonly number[]): number => Math.max(0, Math.max(...ms) - steeredMs) / plainMs;
  const measured = {
    ratio: steeredMs / plainMs,
    controlRatio: added(...controlMs),
    bankRatio: added(bankMs),
    featuresMs: Math.max(0, ...least.slice(calls.length)),
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

/** Measures all costs: the minimum over the rounds, which is the least disturbed time. */
async function measureAll({ call, picture }: Trials): Promise<MeasuredCosts> {
  const least = new Map(rowCounts.map((rows) => [rows, Infinity]));
  let pictureMs = Infinity;
  for (const rows of rowCounts) await call(rows);
  for (let round = 0; round < rounds; round++) {
    for (const [rows, ms] of least) least.set(rows, Math.min(ms, await msOf(() => call(rows))));
    pictureMs = Math.min(pictureMs, await msOf(picture));
  }
  return { costs: [...least].map(([rows, ms]) => ({ rows, ms })), pictureMs };
}

/** Returns whether a single measurement is clearly faster than the saved times. */
async function isFasterNow(
  { costs: [one], pictureMs }: MeasuredCosts,
  { call, picture }: Trials,
): Promise<boolean> {
  const now = (await msOf(() => call(1))) + (await msOf(picture));
  return one !== undefined && now < minRatio * (one.ms + pictureMs);
}

async function msOf(action: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

function isMeasured(value: unknown): value is MeasuredCosts {
  const { costs, pictureMs } = fieldsOf(value);
  return isTime(pictureMs) && Array.isArray(costs) && isCurve(costs.map(fieldsOf));
}

function isSteered(value: unknown): value is SteeredCosts {
  const { ratio, ...added } = fieldsOf(value);
  const each = ['controlRatio', 'bankRatio', 'featuresMs'].map((name) => added[name]);
  return isTime(ratio) && each.every((one) => typeof one === 'number' && one >= 0);
}

function isCurve(points: readonly Readonly<Record<string, unknown>>[]): boolean {
  const rows = JSON.stringify(points.map((point) => point['rows']));
  return rows === JSON.stringify(rowCounts) && points.every(({ ms }) => isTime(ms));
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}
