import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { createStyleCache } from '../../../../src/engine/worker/conditioning/style.js';
import { ModelRuntime } from '../../../../src/engine/worker/networks/runtime.js';
import { encodeImage } from '../../../../src/image/encode.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { assertClose } from '../../../support/compare.js';
import { testImage } from '../../../support/engine.js';
import { steeredModel } from '../../../support/steered-model.js';

const folder = await readModelFolder(await steeredModel('all'));
const runtime = await ModelRuntime.load(folder, { threads: 1 });
after(() => runtime[Symbol.asyncDispose]());

it('a picture becomes the tokens of its middle, normalised as CLIP takes it', async () => {
  const encoder = runtime.imageEncoder;
  assert.ok(encoder);
  const { side } = encoder;
  assert.equal(folder.styleImageSide, side);
  // Twice as wide as high: a quarter of the width is cut off on each side.
  const picture = testImage(3, { width: 2 * side, height: side });
  const file = await encodeImage(picture, 'png', 1);
  const tokens = await createStyleCache(encoder)?.get(Buffer.from(file).toString('latin1'));
  // openai/clip-vit-large-patch14: preprocessor_config.json
  const mean = [0.48145466, 0.4578275, 0.40821073];
  const deviation = [0.26862954, 0.26130258, 0.27577711];
  const planes = Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const [channel, place] = [Math.floor(i / side ** 2), i % side ** 2];
    const [x, y] = [(place % side) + side / 2, Math.floor(place / side)];
    return (picture.data[3 * (y * picture.width + x) + channel] / 255 - mean[channel]) / deviation[channel];
  });
  const expected = await encoder.encodePlanes(planes);
  assert.ok(tokens);
  assertClose(tokens.positive, expected.positive, 1e-5, 'tokens');
  assertClose(tokens.negative, expected.negative, 1e-5, 'negative tokens');
});
