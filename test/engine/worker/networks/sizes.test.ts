import assert from 'node:assert/strict';
import { it } from 'node:test';
import { filledSize, latentShape, usualSize } from '../../../../src/engine/worker/networks/sizes.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

const tiny = await readModelFolder(tinyModel);
/** A latent has one value for eight pixels; its networks take multiples of four values. */
const folder = { ...tiny, latentChannels: 5, pixelFactor: 8, networkFactor: 32, fixedSize: {}, defaults: {} };

it('the usual size is that of the defaults, or 64 latent values', () => {
  assert.deepEqual(usualSize(folder), { width: 512, height: 512 });
  assert.deepEqual(usualSize({ ...folder, defaults: { width: 96 } }), { width: 96, height: 512 });
  assert.deepEqual(usualSize({ ...folder, defaults: { height: 96 } }), { width: 512, height: 96 });
});

it('networks work on the next larger size that they take, or on the only one', () => {
  assert.deepEqual(filledSize(folder, { width: 64, height: 96 }), { width: 64, height: 96 });
  assert.deepEqual(filledSize(folder, { width: 65, height: 72 }), { width: 96, height: 96 });
  const wide = { ...folder, fixedSize: { width: 100 } };
  assert.deepEqual(filledSize(wide, { width: 64, height: 72 }), { width: 100, height: 96 });
  const high = { ...folder, fixedSize: { height: 100 } };
  assert.deepEqual(filledSize(high, { width: 64, height: 72 }), { width: 64, height: 100 });
});

it('a latent has the shape that the networks work on', () => {
  assert.deepEqual(latentShape(folder, { width: 64, height: 96 }), [5, 12, 8]);
  assert.deepEqual(latentShape(folder, { width: 40, height: 72 }), [5, 12, 8]);
});
