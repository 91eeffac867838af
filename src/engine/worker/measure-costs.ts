import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { deviceName, type Device } from '../device.js';
import type { CostCurve } from '../messages.js';
import type { ModelRuntime, Size } from './runtime.js';
import { blankRow } from './unet.js';

const rowCounts = [1, 2, 4, 8];
/** Each is timed in as many rounds: what disturbs the machine for a moment must not be in all times of one. */
const rounds = 3;
/** Kept times are measured anew where the machine turns out to be quicker than they tell by more than this. */
const doubt = 0.85;

export interface MeasureOptions {
  readonly device: Device;
  readonly threads: number;
  /** Where results are kept; null measures each time. */
  readonly cacheDirectory: string | null;
  readonly onProgress: (what: string) => void;
}

export interface MeasuredCosts {
  readonly costs: CostCurve;
  /** Milliseconds to encode and decode one picture. */
  readonly pictureMs: number;
}

/**
 * Times the U-Net at 1, 2, 4 and 8 rows and the VAE, at the model's default size, and warms all networks up. Results
 * are kept by model, device, processor, thread count and Node version, until the machine turns out to be quicker; a
 * cache that cannot be read or written is no error.
 */
export async function measureCosts(runtime: ModelRuntime, options: MeasureOptions): Promise<MeasuredCosts> {
  const size = usualSize(runtime);
  const shape = runtime.latentShape(size);
  options.onProgress('warming up');
  const image = new Uint8Array(size.width * size.height * 3);
  const out = new Uint8ClampedArray(image.length);
  const picture = async (): Promise<void> => {
    await runtime.decode(await runtime.encode(image, size), size, out);
  };
  await picture();
  const row = blankRow(runtime.folder, shape, 500);
  const call = async (rows: number): Promise<void> => {
    await runtime.predict(
      Array.from({ length: rows }, () => row),
      shape,
    );
  };
  await call(1);

  const cache = await cacheFile(runtime, options, shape);
  const known = cache && (await readCosts(cache));
  if (known && !(await quicker(known, { call, picture }))) return known;
  options.onProgress('measuring the cost of a U-Net call');
  const measured = await measureAll({ call, picture });
  if (cache) await writeCosts(cache, measured);
  return measured;
}

interface Work {
  readonly call: (rows: number) => Promise<void>;
  readonly picture: () => Promise<void>;
}

/** The least disturbed round tells what something costs. */
async function measureAll({ call, picture }: Work): Promise<MeasuredCosts> {
  const least = new Map(rowCounts.map((rows) => [rows, Infinity]));
  let pictureMs = Infinity;
  for (const rows of rowCounts) await call(rows);
  for (let round = 0; round < rounds; round++) {
    for (const [rows, ms] of least) least.set(rows, Math.min(ms, await msOf(() => call(rows))));
    pictureMs = Math.min(pictureMs, await msOf(picture));
  }
  return { costs: [...least].map(([rows, ms]) => ({ rows, ms })), pictureMs };
}

/** Whether one look says that the kept times come from a worse moment than this. */
async function quicker(
  { costs: [one], pictureMs }: MeasuredCosts,
  { call, picture }: Work,
): Promise<boolean> {
  const now = (await msOf(() => call(1))) + (await msOf(picture));
  return one !== undefined && now < doubt * (one.ms + pictureMs);
}

/** The size that costs are measured at: the model's own. */
export function usualSize({ folder: { defaults, pixelFactor } }: ModelRuntime): Size {
  return { width: defaults.width ?? 64 * pixelFactor, height: defaults.height ?? 64 * pixelFactor };
}

async function msOf(action: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

async function cacheFile(
  runtime: ModelRuntime,
  { device, threads, cacheDirectory }: MeasureOptions,
  shape: readonly number[],
): Promise<string | null> {
  if (cacheDirectory === null) return null;
  const { file } = runtime.folder.layout.unet.graph;
  const { size, mtimeMs } = await stat(file);
  const machine = [deviceName(device), await gpuModels(), cpus()[0]?.model, cpus().length, process.version];
  const facts = [file, size, mtimeMs, shape, threads, ...machine];
  const name = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  return join(cacheDirectory, `costs-${name}.json`);
}

/** What the NVIDIA driver on Linux says of its GPUs; others are not told apart. */
async function gpuModels(): Promise<readonly string[]> {
  const folder = '/proc/driver/nvidia/gpus';
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    names.map((name) => readFile(join(folder, name, 'information'), 'utf8').catch(() => '')),
  );
  return texts.map((text) => /^Model:\s*(.*)$/m.exec(text)?.[1] ?? '');
}

async function readCosts(file: string): Promise<MeasuredCosts | null> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isMeasured(value) ? value : null;
  } catch {
    return null;
  }
}

function isMeasured(value: unknown): value is MeasuredCosts {
  if (typeof value !== 'object' || value === null || !('costs' in value) || !('pictureMs' in value))
    return false;
  return typeof value.pictureMs === 'number' && value.pictureMs > 0 && isCurve(value.costs);
}

function isCurve(value: unknown): value is CostCurve {
  return (
    Array.isArray(value) &&
    value.length === rowCounts.length &&
    value.every((point: unknown, i) => {
      if (typeof point !== 'object' || point === null || !('rows' in point) || !('ms' in point)) return false;
      return point.rows === rowCounts[i] && typeof point.ms === 'number' && point.ms > 0;
    })
  );
}

async function writeCosts(file: string, costs: MeasuredCosts): Promise<void> {
  try {
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, JSON.stringify(costs));
  } catch {
    // The next start measures again.
  }
}
