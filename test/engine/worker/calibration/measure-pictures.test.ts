import assert from 'node:assert/strict';
import { it, mock } from 'node:test';
import { measurePictures } from '../../../../src/engine/worker/calibration/measure-pictures.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

const folder = await readModelFolder(tinyModel);
/** Milliseconds on a clock that only the work below advances. */
let clock = 0;
mock.method(performance, 'now', () => clock);

interface Trial {
  readonly curve: readonly { readonly rows: number; readonly ms: number }[];
  readonly notes: readonly string[];
  /** Pictures of each call of the encoder. */
  readonly calls: readonly number[];
}

/** @param msOf how long encoding and decoding so many pictures takes. */
async function measure({
  msOf = (count: number): number => 4 + 6 * count,
  most = 8,
  rows = null as 1 | null,
  values = (_count: number, at: number): number => at,
}): Promise<Trial> {
  const notes: string[] = [];
  const calls: number[] = [];
  const { layout } = folder;
  const vaeEncoder = { ...layout.vaeEncoder, rows };
  const curve = await measurePictures(
    {
      folder: { ...folder, layout: { ...layout, vaeEncoder } },
      encode(pictures) {
        calls.push(pictures.length);
        clock += msOf(pictures.length);
        return Promise.resolve(
          pictures.map(({ data }) =>
            new Float32Array(data.length).map((_, at) => values(pictures.length, at)),
          ),
        );
      },
      decode(_, outs) {
        for (const { data } of outs) data.fill(7);
        return Promise.resolve(outs.map(() => true));
      },
    },
    { aloneMs: 20, most, onProgress: () => {}, proceed: () => {}, onNote: (note) => notes.push(note) },
  );
  return { curve, notes, calls };
}

it('calls of 1, 2, 4 and 8 pictures are compared with calls of one, and count at the time of one picture alone', async () => {
  const { curve, notes } = await measure({});
  assert.deepEqual(
    curve,
    [1, 2, 4, 8].map((rows) => ({ rows, ms: 8 + 12 * rows })),
  );
  assert.deepEqual(notes, []);
});

it('no call is larger than the number of frames that enter together', async () => {
  const { curve, calls } = await measure({ most: 2 });
  assert.deepEqual(curve.map(({ rows }) => rows), [1, 2]); // prettier-ignore
  assert.equal(Math.max(...calls), 2);
  assert.deepEqual(await measure({ most: 1 }), { curve: [{ rows: 1, ms: 20 }], notes: [], calls: [] });
});

it('larger calls are not tried when a picture takes no less time in them', async () => {
  const { curve } = await measure({ msOf: (count) => 10 * count });
  assert.deepEqual(curve, [
    { rows: 1, ms: 20 },
    { rows: 2, ms: 40 },
  ]);
});

it('a VAE that was exported for one picture gets one a call, and is not tried', async () => {
  assert.deepEqual(await measure({ rows: 1 }), { curve: [{ rows: 1, ms: 20 }], notes: [], calls: [] });
});

it('a VAE that gives something else with several pictures, or fails, gets one a call, with a note', async () => {
  const other = await measure({ values: (count, at) => (count > 2 ? 1.1 : 1) * at });
  assert.deepEqual(other.curve, [{ rows: 1, ms: 20 }]);
  assert.deepEqual(other.notes, [
    'the VAE takes one picture a call, since it gives something else with 4: export it again with a dynamic batch size',
  ]);
  const failing = await measure({
    msOf(count) {
      if (count > 1) throw new Error('no such shape');
      return 1;
    },
  });
  assert.deepEqual(failing.curve, [{ rows: 1, ms: 20 }]);
  assert.deepEqual(failing.notes, ['the VAE takes one picture a call, since it fails with 2: no such shape']);
  const infinite = await measure({ values: (count) => (count > 1 ? NaN : 1) });
  assert.match(infinite.notes[0] ?? '', /something else with 2/);
});
