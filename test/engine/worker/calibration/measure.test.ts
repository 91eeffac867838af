import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it, mock } from 'node:test';
import type { MeasuredCosts } from '../../../../src/engine/costs.js';
import { measureCosts } from '../../../../src/engine/worker/calibration/measure.js';
import { latentShape } from '../../../../src/engine/worker/networks/sizes.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

const folder = await readModelFolder(tinyModel);
const directory = await mkdtemp(join(tmpdir(), 'millrace-costs-'));
after(() => rm(directory, { recursive: true }));

/** Milliseconds on a clock that only the work below advances. */
let clock = 0;
mock.method(performance, 'now', () => clock);

interface Measured extends MeasuredCosts {
  /** The work done, in order: `2 rows`, `encode`, `decode`. */
  readonly work: readonly string[];
  readonly progress: readonly string[];
  /** How often it asked whether to continue. */
  readonly asked: number;
}

function usualMs(work: string): number {
  if (work.endsWith('rows')) return 10 * parseInt(work);
  return work === 'encode' ? 3 : 4;
}

/** @param msOf how long work takes when it is done for the nth time. */
async function measure(
  cacheDirectory: string | null,
  msOf: (work: string, time: number) => number = usualMs,
): Promise<Measured> {
  const work: string[] = [];
  const progress: string[] = [];
  let asked = 0;
  const doWork = (what: string): void => {
    work.push(what);
    clock += msOf(what, work.filter((other) => other === what).length);
  };
  const size = { width: folder.defaults.width ?? 0, height: folder.defaults.height ?? 0 };
  const shape = latentShape(folder, size);
  const latent = new Float32Array(shape[0] * shape[1] * shape[2]);
  clock = 1e6;
  const measured = await measureCosts(
    {
      folder,
      controls: null,
      latentShape: (given) => latentShape(folder, given),
      encode(pixels, given) {
        assert.deepEqual([given, pixels.length], [size, size.width * size.height * 3]);
        doWork('encode');
        return Promise.resolve(latent);
      },
      decode(given, givenSize, out) {
        assert.deepEqual([given, givenSize, out.length], [latent, size, size.width * size.height * 3]);
        doWork('decode');
        return Promise.resolve();
      },
      predict(rows, given) {
        assert.deepEqual(given, shape);
        doWork(`${rows.length} rows`);
        return Promise.resolve(rows.map(() => latent));
      },
    },
    {
      device: { provider: 'cpu', index: 0 },
      threads: 1,
      cacheDirectory,
      onProgress: (what) => progress.push(what),
      proceed: () => void (asked += 1),
      onNote: (note) => assert.equal(note, ''),
    },
  );
  return { ...measured, work, progress, asked };
}

const usual = { costs: [1, 2, 4, 8].map((rows) => ({ rows, ms: 10 * rows })), pictureMs: 7 };
const round = ['1 rows', '2 rows', '4 rows', '8 rows', 'encode', 'decode'];
const warmUp = ['encode', 'decode', '1 rows'];
const all = [...warmUp, ...round.slice(0, 4), ...round, ...round, ...round];

async function keptFile(): Promise<string> {
  const names = await readdir(directory);
  assert.equal(names.length, 1);
  assert.match(names[0], /^costs-/);
  return join(directory, names[0]);
}

it('calls of 1, 2, 4 and 8 rows and pictures are timed after a warm-up, and the best of three rounds counts', async () => {
  const slow = (work: string, time: number): number =>
    usualMs(work) + ({ '2 rows': [99, 30, 0, 30], decode: [99, 0, 50, 50] }[work]?.[time - 1] ?? 0);
  const { work, progress, asked, ...costs } = await measure(null, slow);
  assert.deepEqual(costs, usual);
  assert.deepEqual(work, all);
  assert.deepEqual(progress, ['warming up', 'measuring the cost of a U-Net call']);
  assert.equal(asked, all.filter((what) => what !== 'decode').length, 'before each call');
});

it('costs are kept, and measured again if the machine is faster by more than 15%', async () => {
  const first = await measure(directory);
  assert.deepEqual(first.work, all);
  assert.deepEqual(JSON.parse(await readFile(await keptFile(), 'utf8')), usual);
  const again = await measure(directory);
  assert.deepEqual(again.work, [...warmUp, '1 rows', 'encode', 'decode'], 'one check');
  assert.deepEqual([again.costs, again.pictureMs], [usual.costs, usual.pictureMs]);
  // One row and one picture take 17 ms, which is 85% of 20 ms.
  for (const [keptMs, quicker] of [
    [5, false],
    [13, false],
    [13.1, true],
  ] as const) {
    const costs = [{ rows: 1, ms: keptMs }, ...usual.costs.slice(1)];
    await writeFile(await keptFile(), JSON.stringify({ ...usual, costs }));
    const { work } = await measure(directory);
    assert.equal(work.length > 6, quicker, `${keptMs} ms`);
  }
});

it('costs are measured again if the kept file is invalid', async () => {
  const [one, ...others] = usual.costs;
  for (const kept of [
    null,
    3,
    'text',
    [],
    { costs: usual.costs },
    { pictureMs: 7 },
    { ...usual, pictureMs: '7' },
    { ...usual, pictureMs: 0 },
    { ...usual, pictureMs: -0.5 },
    { ...usual, costs: null },
    { ...usual, costs: { length: 4 } },
    { ...usual, costs: others },
    { ...usual, costs: [...usual.costs, { rows: 16, ms: 160 }] },
    ...[
      null,
      1,
      {},
      { rows: 1 },
      { ms: 10 },
      { ...one, rows: 3 },
      { ...one, ms: '10' },
      { ...one, ms: 0 },
      { ...one, ms: -0.5 },
    ].map((point) => ({ costs: [point, ...others], pictureMs: 7 })),
  ]) {
    await measure(directory);
    await writeFile(await keptFile(), JSON.stringify(kept));
    const { work, ...measured } = await measure(directory);
    assert.deepEqual(work, all, JSON.stringify(kept));
    assert.deepEqual([measured.costs, measured.pictureMs], [usual.costs, usual.pictureMs]);
  }
  const fast = { costs: usual.costs.map(({ rows }) => ({ rows, ms: 0.5 })), pictureMs: 0.5 };
  await writeFile(await keptFile(), JSON.stringify(fast));
  const { costs, pictureMs } = await measure(directory);
  assert.deepEqual({ costs, pictureMs }, fast, 'times below a millisecond are valid');
});
