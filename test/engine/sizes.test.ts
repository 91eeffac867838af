import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParameterError } from '../../src/engine/engine.js';
import type { Image } from '../../src/image/image.js';
import { readModelFolder } from '../../src/model/folder.js';
import { drawOnce, embeddedModel, RecordedStream, tinyModel, tinyParameters } from '../support/engine.js';
import { startBorrowedEngine } from '../support/engine-pool.js';

const base = tinyParameters({ prompt: 'pencil sketch', t_index_list: [25] });

/** Stripes, slopes and a little grain, so that no two places look alike. */
function picture(width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, p = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const stripe = (x >> 4) % 2 === (y >> 5) % 2 ? 60 : 0;
      data[p++] = (x * 140) / width + stripe + ((x * 7 + y * 13) % 5);
      data[p++] = (y * 140) / height + stripe;
      data[p++] = 90 + stripe;
    }
  }
  return { width, height, data };
}

/** Extends the picture to a larger size by repeating its last columns and rows. */
function extend(image: Image, width: number, height: number): Image {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (Math.min(y, image.height - 1) * image.width + Math.min(x, image.width - 1)) * 3;
      data.set(image.data.subarray(from, from + 3), (y * width + x) * 3);
    }
  }
  return { width, height, data };
}

const sizes = [
  [64, 64],
  [72, 72],
  [200, 264],
  [264, 200],
  [104, 1016],
  [1024, 64],
  [640, 360],
  [1024, 1024],
] as const;

test('the embedded model draws at any size that is a multiple of 8 from 64 to 1024', async () => {
  await using run = await startBorrowedEngine(embeddedModel, { threads: 2 });
  assert.equal((await readModelFolder(embeddedModel)).sizeFactor, 8);
  for (const [width, height] of sizes) {
    const image = picture(width, height);
    const drawn = await drawOnce(
      run.engine,
      { ...base, width, height },
      { ...image, data: image.data.slice() },
    );
    assert.ok(drawn.length === image.data.length, `${width}x${height}`);
    // A sketch, neither the picture itself nor blank, at the borders as well as inside.
    for (const row of [0, height >> 1, height - 1]) {
      const start = row * width * 3;
      const line = drawn.subarray(start, start + width * 3);
      assert.ok(new Set(line).size > 8, `${width}x${height}, row ${row}`);
    }
    assert.notDeepEqual(drawn, image.data);
  }
});

test('a picture between two network sizes is extended at the borders, drawn, and cropped', async () => {
  await using run = await startBorrowedEngine(embeddedModel, { threads: 2 });
  const image = picture(200, 264);
  const large = extend(image, 224, 288);
  const drawn: Uint8Array[] = [];
  for (const { width, height, data } of [image, large]) {
    drawn.push(await drawOnce(run.engine, { ...base, width, height }, { width, height, data }));
  }
  const [small, whole] = drawn;
  assert.ok(small && whole);
  for (let y = 0; y < 264; y++) {
    const row = small.subarray(y * 200 * 3, (y + 1) * 200 * 3);
    assert.deepEqual(row, whole.subarray(y * 224 * 3, y * 224 * 3 + row.length), `row ${y}`);
  }
});

test('streams of odd sizes share calls, change size mid-stream, and refuse sizes that are not multiples', async () => {
  await using run = await startBorrowedEngine(tinyModel);
  const odd = tinyParameters({ width: 72, height: 104, t_index_list: [18, 35], denoise: 'stream' });
  const stream = await RecordedStream.open(run.engine, odd);
  stream.stream.push(0, { image: picture(72, 104) }, { replace: false });
  await stream.until(() => stream.answered === 1);
  const other = { ...odd, width: 80, height: 88 };
  await stream.stream.configure(other);
  stream.stream.push(1, { image: picture(80, 88) }, { replace: false });
  await stream.until(() => stream.answered === 2);
  assert.deepEqual(
    [0, 1].map((frame) => stream.results.get(frame)?.length),
    [72 * 104 * 3, 80 * 88 * 3],
  );
  await assert.rejects(stream.stream.configure({ ...odd, width: 76 }), (error) => {
    assert.ok(error instanceof ParameterError);
    assert.match(error.message, /width must be a multiple of 8 for the model tiny-sd, not 76/);
    return true;
  });
});
