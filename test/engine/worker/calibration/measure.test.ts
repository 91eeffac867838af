import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it, mock } from 'node:test';
import type { MeasuredCosts } from '../../../../src/engine/costs.js';
import type { Calibration, CalibrationTime } from '../../../../src/engine/messages.js';
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

interface Measured {
  readonly costs: MeasuredCosts;
  readonly calibration: CalibrationTime;
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
  calibration: Calibration = 'auto',
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
  const { calibration: time, ...costs } = await measureCosts(
    {
      folder,
      controls: null,
      latentShape: (given) => latentShape(folder, given),
      encodeOne(pixels, given) {
        assert.deepEqual([given, pixels.length], [size, size.width * size.height * 3]);
        doWork('encode');
        return Promise.resolve(latent);
      },
      decodeOne(given, givenSize, out) {
        assert.deepEqual([given, givenSize, out.length], [latent, size, size.width * size.height * 3]);
        doWork('decode');
        return Promise.resolve();
      },
      encode: () => assert.fail('no frames enter together'),
      decode: () => assert.fail('no frames leave together'),
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
      calibration,
      onProgress: (what) => progress.push(what),
      proceed: () => void (asked += 1),
      onNote: (note) => assert.equal(note, ''),
    },
  );
  return { costs, calibration: time, work, progress, asked };
}

const usual = {
  costs: [1, 2, 4, 8].map((rows) => ({ rows, ms: 10 * rows })),
  pictureMs: 7,
  // The best calls have one row, so that no more pictures than one enter together.
  pictureCosts: [{ rows: 1, ms: 7 }],
};
const round = ['1 rows', '2 rows', '4 rows', '8 rows', 'encode', 'decode'];
const warmUp = ['encode', 'decode', '1 rows'];
const all = [...warmUp, ...round.slice(0, 4), ...Array.from({ length: 5 }, () => round).flat()];
const check = ['1 rows', 'encode', 'decode'];

async function keptFile(): Promise<string> {
  const names = await readdir(directory);
  assert.equal(names.length, 1);
  assert.match(names[0], /^costs-/);
  return join(directory, names[0]);
}

/** Replaces the kept time of one row. */
async function keepOneRow(ms: number): Promise<void> {
  const costs = [{ rows: 1, ms }, ...usual.costs.slice(1)];
  await writeFile(await keptFile(), JSON.stringify({ ...usual, costs }));
}

it('calls of 1, 2, 4 and 8 rows and pictures are timed after a warm-up, and the median of five rounds counts', async () => {
  const slow = (work: string, time: number): number =>
    usualMs(work) +
    ({ '2 rows': [99, 30, -15, 0, 0, 30], decode: [99, 0, 50, 50, -3, 0] }[work]?.[time - 1] ?? 0);
  const before = Date.now();
  const { work, progress, asked, costs, calibration } = await measure(null, slow);
  assert.deepEqual(costs, usual);
  assert.deepEqual(work, all);
  assert.deepEqual(progress, ['warming up', 'measuring the cost of a U-Net call']);
  assert.equal(asked, all.filter((what) => what !== 'decode').length, 'before each call');
  assert.equal(calibration.isKept, false);
  assert.ok(calibration.at.getTime() >= before);
});

it('three rounds are enough on a slow device', async () => {
  // A round takes 10 times 15 rows and 7 ms: three of them take 2 s if all is 4.247 times as slow.
  for (const [factor, rounds] of [
    [4.2, 4],
    [4.3, 3],
    [50, 3],
  ] as const) {
    const { work } = await measure(null, (what) => factor * usualMs(what));
    assert.equal(work.filter((what) => what === '8 rows').length, rounds + 1, `${factor} times as slow`);
  }
});

it('costs are kept while the machine takes neither less than 80% of them nor more than 125%', async () => {
  const first = await measure(directory);
  assert.deepEqual(first.work, all);
  assert.deepEqual(JSON.parse(await readFile(await keptFile(), 'utf8')), usual);
  const savedAt = new Date('2026-01-02T03:04:05Z');
  await utimes(await keptFile(), savedAt, savedAt);
  const again = await measure(directory);
  assert.deepEqual(again.work, [...warmUp, ...check], 'one check');
  assert.deepEqual([again.costs, again.calibration], [usual, { at: savedAt, isKept: true }]);
  // One row and one picture take 17 ms, which is 80% of 21.25 ms and 125% of 13.6 ms.
  for (const [keptMs, holds] of [
    [6.5, false],
    [6.6, true],
    [14.25, true],
    [14.3, false],
  ] as const) {
    await keepOneRow(keptMs);
    const { work, calibration, costs } = await measure(directory);
    const checks = [...warmUp, ...check, ...(holds ? [] : [...check, ...check, ...all.slice(warmUp.length)])];
    assert.deepEqual(work, checks, `${keptMs} ms`);
    assert.equal(calibration.isKept, holds);
    assert.equal(costs.costs[0]?.ms, holds ? keptMs : 10);
  }
});

it('one disturbed check of three does not count', async () => {
  await measure(directory, usualMs, 'fresh');
  for (const [delays, isKept] of [
    [[0, 50, 0, 0], true],
    [[0, 50, 50, 0], false],
    [[0, 50, 0, 50], false],
  ] as const) {
    const { calibration } = await measure(
      directory,
      (work, time) => usualMs(work) + (work === '1 rows' ? (delays[time - 1] ?? 0) : 0),
    );
    assert.equal(calibration.isKept, isKept, delays.join());
  }
});

it('costs are taken unchecked, or measured in any case, if asked', async () => {
  await measure(directory, usualMs, 'fresh');
  await keepOneRow(99);
  const unchecked = await measure(directory, usualMs, 'kept');
  assert.deepEqual([unchecked.work, unchecked.costs.costs[0]?.ms], [warmUp, 99]);
  const fresh = await measure(directory, usualMs, 'fresh');
  assert.deepEqual([fresh.work, fresh.costs, fresh.calibration.isKept], [all, usual, false]);
  assert.deepEqual(JSON.parse(await readFile(await keptFile(), 'utf8')), usual, 'and saved');
  await rm(await keptFile());
  assert.deepEqual((await measure(directory, usualMs, 'kept')).work, all, 'nothing is kept');
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
    ].map((point) => {
      const { pictureMs, pictureCosts } = usual;
      return { costs: [point, ...others], pictureMs, pictureCosts };
    }),
    { costs: usual.costs, pictureMs: 7 },
    { ...usual, pictureCosts: [] },
    { ...usual, pictureCosts: [{ rows: 2, ms: 7 }] },
  ]) {
    await measure(directory);
    await writeFile(await keptFile(), JSON.stringify(kept));
    const { work, costs: measured } = await measure(directory);
    assert.deepEqual(work, all, JSON.stringify(kept));
    assert.deepEqual(measured, usual);
  }
  const halfMs = [1, 2, 4, 8].map((rows) => ({ rows, ms: 0.5 }));
  const fast = { costs: halfMs, pictureMs: 0.5, pictureCosts: halfMs };
  await writeFile(await keptFile(), JSON.stringify(fast));
  assert.deepEqual(
    (await measure(directory, usualMs, 'kept')).costs,
    fast,
    'times below a millisecond are valid',
  );
});
