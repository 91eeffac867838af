import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it, mock } from 'node:test';
import type { Row } from '../../../../src/diffusion/stream.js';
import type { SteeredCosts } from '../../../../src/engine/costs.js';
import type { Calibration } from '../../../../src/engine/messages.js';
import { measureCosts } from '../../../../src/engine/worker/calibration/measure.js';
import { latentShape, usualSize } from '../../../../src/engine/worker/networks/sizes.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';
import { steeredFolder } from '../../../support/steered-folder.js';

const folder = steeredFolder(await readModelFolder(tinyModel));
const shape = latentShape(folder, usualSize(folder));
const directory = await mkdtemp(join(tmpdir(), 'millrace-steered-'));
after(() => rm(directory, { recursive: true }));

/** Milliseconds on a clock that only the work below advances. */
let clock = 0;
mock.method(performance, 'now', () => clock);

/** Returns what a row uses. */
function useOf({ conditioning }: Row): string {
  const { control_0_scale: canny, control_1_scale: depth, bank_mask: mask } = conditioning;
  if (mask === undefined) return 'plain';
  if (mask.length > 0) return 'bank';
  assert.ok([canny?.[0], depth?.[0], 1].includes(1));
  if (canny) assert.equal(conditioning['control_0_feature_0'].length, shape[1] * shape[2]);
  if (canny) return 'with canny';
  return depth ? 'with depth' : 'steered';
}

const rowMs: Readonly<Record<string, number>> = {
  plain: 10,
  steered: 11,
  bank: 13,
  'with canny': 15,
  'with depth': 14,
};

/** Measures with rows that take as long as `rowMs` says, and controls that take 2 and 3 ms. */
async function measure(
  cacheDirectory: string | null,
  calibration: Calibration = 'auto',
): Promise<{ readonly steered: SteeredCosts | undefined; readonly work: readonly string[] }> {
  const work: string[] = [];
  const { steered } = await measureCosts(
    {
      folder,
      latentShape: (given) => latentShape(folder, given),
      encodeOne() {
        clock += 1;
        return Promise.resolve(new Float32Array(1));
      },
      decodeOne: () => Promise.resolve(),
      encode: () => assert.fail('no frames enter together'),
      decode: () => assert.fail('no frames leave together'),
      predict(rows, _, kept) {
        const use = useOf(rows[0]);
        assert.equal(kept !== undefined, use === 'bank', 'what it computes for the bank is taken too');
        work.push(`${rows.length} ${use}`);
        clock += rowMs[use] * rows.length;
        return Promise.resolve([]);
      },
      controls: {
        features(name, pixels, { width, height }) {
          assert.equal(pixels.length, 3 * width * height);
          work.push(name);
          clock += name === 'canny' ? 2 : 3;
          return Promise.resolve({});
        },
      },
    },
    {
      device: { provider: 'cpu', index: 0 },
      threads: 1,
      cacheDirectory,
      calibration,
      onProgress: () => {},
      proceed: () => {},
      onNote: (note) => assert.equal(note, ''),
    },
  );
  return { steered, work };
}

const wanted = { ratio: 1.1, controlRatio: 0.4, bankRatio: 0.2, featuresMs: 3 };
const round = ['4 plain', '4 steered', '4 bank', '4 with canny', '4 with depth', 'canny', 'depth'];

it('the steered U-Net is compared with the plain one in turns, and the slowest control counts', async () => {
  const { steered, work } = await measure(null);
  assert.deepEqual(steered, wanted);
  assert.deepEqual(work.slice(-4 * round.length), [...round, ...round, ...round, ...round]);
});

it('what steering costs is kept beside the costs, and measured again if the file is invalid', async () => {
  assert.deepEqual((await measure(directory)).steered, wanted);
  const { steered, work } = await measure(directory);
  assert.deepEqual(steered, wanted);
  assert.ok(!work.includes('canny'));
  const name = (await readdir(directory)).find((each) => each.startsWith('steered-'));
  assert.ok(name);
  const file = join(directory, name);
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), wanted);
  const invalid = [
    null,
    {},
    { ratio: 1, featuresMs: 1 },
    { ...wanted, ratio: 0 },
    { ...wanted, bankRatio: -1 },
  ];
  for (const kept of invalid) {
    await writeFile(file, JSON.stringify(kept));
    const again = await measure(directory);
    assert.deepEqual([again.steered, again.work.includes('canny')], [wanted, true], JSON.stringify(kept));
  }
  const other = { ...wanted, ratio: 3 };
  await writeFile(file, JSON.stringify(other));
  assert.deepEqual((await measure(directory)).steered, other);
  assert.deepEqual((await measure(directory, 'kept')).steered, other);
});

it('what steering costs is measured again with the costs of the plain U-Net', async () => {
  for (const [calibration, slower] of [
    ['fresh', 1],
    ['auto', 2],
  ] as const) {
    for (const name of await readdir(directory)) {
      const wrong = {
        costs: [1, 2, 4, 8].map((rows) => ({ rows, ms: 10 * rows * slower })),
        pictureMs: 1,
      };
      const kept = name.startsWith('steered-') ? { ...wanted, ratio: 3 } : wrong;
      await writeFile(join(directory, name), JSON.stringify(kept));
    }
    assert.deepEqual((await measure(directory, calibration)).steered, wanted, calibration);
  }
});
