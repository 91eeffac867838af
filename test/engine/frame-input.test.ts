import assert from 'node:assert/strict';
import { it } from 'node:test';
import { memoryOf, sentPixels } from '../../src/engine/frame-input.js';

it('the memory of an input is that of its pictures, however many it has', () => {
  const picture = (bytes: number) => ({ width: 1, height: 1, data: new Uint8Array(bytes) });
  const [image, another] = [picture(3), picture(6)];
  assert.deepEqual(memoryOf({ image: null, decodeMs: 5 }), []);
  const [memory, ...others] = memoryOf({ image, decodeMs: 5 });
  assert.equal(memory, image.data.buffer);
  assert.deepEqual(others, []);
  const controls = { image: picture(9), canny: picture(12) };
  assert.deepEqual(
    memoryOf({ image, controls }).map(({ byteLength }) => byteLength),
    [3, 9, 12],
    'a control may have any name',
  );
  // A picture that a later version adds.
  const more = { image: null, another, decodeMs: 5 };
  assert.deepEqual(memoryOf(more), [another.data.buffer]);
  const [canny, depth] = [picture(9), picture(12)];
  const steered = memoryOf({ image, controls: { canny, depth }, decodeMs: 5 });
  assert.deepEqual(
    steered.map(({ byteLength }) => byteLength),
    [3, 9, 12],
  );
  assert.equal(steered[2], depth.data.buffer);
  assert.deepEqual(memoryOf({ image: null, controls: {} }), []);
});

it('what came with a frame is its picture, its mask, and those pictures of controls that were not made from it', () => {
  const picture = (bytes: number) => ({ width: 1, height: 1, data: new Uint8Array(bytes) });
  const [image, mask, canny, depth] = [3, 1, 9, 12].map(picture);
  assert.deepEqual(sentPixels({ image }), [image.data]);
  const controls = { canny, depth };
  assert.deepEqual(sentPixels({ image, mask, controls }), [image.data, mask.data]);
  const all = sentPixels({ image, mask, controls, sent: ['depth'] });
  assert.deepEqual(all, [image.data, mask.data, depth.data]);
  assert.equal(sentPixels({ image: null, controls, sent: ['depth'] }), null);
});
