import { Gaussian } from '../../../src/diffusion/gaussian.js';
import type { Row, RowValues } from '../../../src/diffusion/stream.js';
import { ModelRuntime } from '../../../src/engine/worker/networks/runtime.js';
import { latentShape } from '../../../src/engine/worker/networks/sizes.js';
import { blankRow, type KeptRows } from '../../../src/engine/worker/networks/unet.js';
import { readModelFolder, type ModelFolder } from '../../../src/model/folder.js';
import { testImage } from '../../support/engine.js';
import { inTurns, ratio } from '../pipeline-rig.js';
import { median, type Figure } from '../report.js';

/** Calls to measure. */
export interface CallTrials {
  /** A model with two ControlNets and a bank, and the same without what steers it. */
  readonly folder: string;
  readonly plainFolder: string;
  readonly rows: number;
  /** Side of the pictures, in pixels. */
  readonly side: number;
  readonly rounds: number;
  readonly threads: number;
}

/** Steps of a frame whose hint is made once, or once in each. */
const steps = 4;

/** Compares the times of U-Net calls whose rows use more or less of what steers a model. */
export async function callFigures(trials: CallTrials): Promise<Figure[]> {
  const { folder, plainFolder, rows, side, rounds, threads } = trials;
  await using runtime = await ModelRuntime.load(await readModelFolder(folder), { threads });
  await using bare = await ModelRuntime.load(await readModelFolder(plainFolder), { threads });
  const size = { width: side, height: side };
  const shape = latentShape(runtime.folder, size);
  const picture = testImage(0, size).data;
  const nets = runtime.folder.layout.steered?.controls.filter(({ type }) => type === 'controlnet') ?? [];
  const controlled: RowValues[] = [];
  for (const { name, scale } of nets) {
    const features = await runtime.controls?.features(name, picture, size);
    controlled.push({ ...features, [scale]: Float32Array.of(1) });
  }
  const [canny = {}, depth = {}] = controlled;
  const rowsWith = (values: RowValues = {}): readonly Row[] =>
    Array.from({ length: rows }, (_, i) => noisyRow(runtime.folder, side, i, values));
  const predict =
    (all: readonly Row[], on = runtime, kept?: KeptRows) =>
    async (): Promise<void> =>
      void (await on.predict(all, shape, kept));
  const bank = await bankOf(runtime, rowsWith({ bank_mask: new Float32Array(0) }), shape);
  const variants = {
    bare: predict(rowsWith(), bare),
    plain: predict(rowsWith()),
    canny: predict(rowsWith(canny)),
    depth: predict(rowsWith(depth)),
    both: predict(rowsWith({ ...canny, ...depth })),
    mixed: predict([...rowsWith(canny), ...rowsWith(depth)]),
    bankOf1: predict(rowsWith(bank(1)), runtime, []),
    bankOf2: predict(rowsWith(bank(2)), runtime, []),
    hint: async () => void (await runtime.controls?.features(nets[0]?.name ?? '', picture, size)),
  };
  type Variant = keyof typeof variants;
  const ms = await inTurns(
    Object.keys(variants) as Variant[],
    async (name) => {
      const start = performance.now();
      await variants[name]();
      return performance.now() - start;
    },
    rounds,
  );
  const frameMs = (row: number, hint: number, hints: number): number => (steps * row) / rows + hints * hint;
  return [
    {
      what: 'a call of rows that use nothing, in a folder that steers over one that cannot',
      value: ratio(ms.plain, ms.bare),
      unit: 'x',
      goal: 'under 1.02',
    },
    {
      what: 'a call with 1 ControlNet over the plain one',
      value: ratio(ms.canny, ms.plain),
      unit: 'x',
      goal: 'at most 1.45',
    },
    { what: 'a call with 2 ControlNets over the plain one', value: ratio(ms.both, ms.plain), unit: 'x' },
    {
      what: 'one call for users of two ControlNets over two calls, one for each',
      value: median(ms.mixed.map((mixed, i) => mixed / (ms.canny[i] + ms.depth[i]))),
      unit: 'x',
      goal: 'above 1',
    },
    {
      what: 'a call with a bank of 1 frame over the plain one',
      value: ratio(ms.bankOf1, ms.plain),
      unit: 'x',
    },
    {
      what: 'a call with a bank of 2 frames over the plain one',
      value: ratio(ms.bankOf2, ms.plain),
      unit: 'x',
    },
    {
      what: `a frame of ${steps} steps with its hint made once a step over once a frame`,
      value: median(ms.canny.map((row, i) => frameMs(row, ms.hint[i], steps) / frameMs(row, ms.hint[i], 1))),
      unit: 'x',
    },
  ];
}

/** Returns a row of noise. */
function noisyRow(folder: ModelFolder, side: number, seed: number, values: RowValues): Row {
  const row = blankRow(folder, latentShape(folder, { width: side, height: side }), 500);
  const random = new Gaussian(seed);
  for (const array of [row.input, ...Object.values(row.conditioning)]) {
    for (let i = 0; i < array.length; i++) array[i] = random.next();
  }
  return { ...row, conditioning: { ...row.conditioning, ...values } };
}

/** Returns how to get a bank of so many frames, each with what a row computes. */
async function bankOf(
  runtime: ModelRuntime,
  rows: readonly Row[],
  shape: readonly [number, number, number],
): Promise<(frames: number) => RowValues> {
  const kept: KeptRows = [];
  await runtime.predict(rows, shape, kept);
  const layers = (kept[0] ?? []).map((values) => values.slice());
  return (frames) => {
    const values = layers.map((layer, k) => {
      const all = new Float32Array(frames * layer.length);
      for (let slot = 0; slot < frames; slot++) all.set(layer, slot * layer.length);
      return [`bank_${k}`, all] as const;
    });
    return { ...Object.fromEntries(values), bank_mask: new Float32Array(frames).fill(1) };
  };
}
