import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeError, openPixels, readPixels } from '../../src/image/vips.js';

const newMemory = (bytes: number) => new Uint8Array(bytes);

it('libvips keeps no results and has one thread for each picture', () => {
  assert.equal(sharp.concurrency(), 1);
  const { memory, files, items } = sharp.cache();
  assert.deepEqual([memory.max, files.max, items.max], [0, 0, 0]);
});

describe('pixels', () => {
  const data = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => 7 * i);

  it('pass through unchanged, from memory that may be longer', async () => {
    const longer = new Uint8Array(data.length + 50);
    longer.set(data);
    for (const given of [data, longer]) {
      const image = await readPixels(openPixels({ width: 2, height: 3, data: given }), newMemory);
      assert.deepEqual(image, { width: 2, height: 3, data });
    }
  });

  it('are written to the given memory, and only as much as needed is requested', async () => {
    const memory = new Uint8Array(30).fill(255);
    const asked: number[] = [];
    const image = await readPixels(openPixels({ width: 2, height: 3, data }), (bytes) => {
      asked.push(bytes);
      return memory;
    });
    assert.equal(image.data, memory);
    assert.deepEqual([asked, [...memory]], [[18], [...data, ...Array<number>(12).fill(255)]]);
  });

  it('come out as three channels of one byte, whatever they were', async () => {
    const grey = sharp(Uint8Array.of(10, 200), { raw: { width: 2, height: 1, channels: 1 } });
    assert.deepEqual([...(await readPixels(grey, newMemory)).data], [10, 10, 10, 200, 200, 200]);
    const deep = sharp(Uint16Array.of(0, 257 * 100, 65_535), { raw: { width: 1, height: 1, channels: 3 } });
    const { data: bytes } = await readPixels(deep.toColourspace('rgb16'), newMemory);
    assert.deepEqual([...bytes], [0, 100, 255]);
    const clear = sharp(Uint8Array.of(9, 9, 9, 0), { raw: { width: 1, height: 1, channels: 4 } });
    assert.deepEqual([...(await readPixels(clear, newMemory)).data], [0, 0, 0]);
    const single = openPixels({ width: 2, height: 3, data }).extractChannel(0);
    await assert.rejects(readPixels(single, newMemory), {
      name: 'Error',
      message: 'sharp returned 1 channels instead of 3',
    });
  });
});

it('errors of libvips become one readable line, with the original as cause', () => {
  const error = new Error('VipsJpeg: first\nwebp: cannot read\n');
  const wrapped = decodeError('WEBP', error);
  assert.equal(wrapped.name, 'ImageError');
  assert.equal(wrapped.message, 'the WEBP image cannot be decoded: webp: cannot read');
  assert.equal(wrapped.cause, error);
  const short = decodeError('PNG', new Error('damaged'));
  assert.equal(short.message, 'the PNG image cannot be decoded: damaged');
  assert.equal(decodeError('PNG', 'a text').message, 'the PNG image cannot be decoded: a text');
});
