import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { ImageEncoder } from '../../../../src/engine/worker/networks/image-encoder.js';
import type { Feed, Wanted } from '../../../../src/engine/worker/networks/onnx-part.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { assertClose } from '../../../support/compare.js';
import { tinyModel } from '../../../support/engine.js';
import { steeredFolder } from '../../../support/steered-folder.js';

const layout = steeredFolder(await readModelFolder(tinyModel)).layout.steered!.imageEncoder!;

/** Creates an encoder that gives a number, and the number after it for none. */
async function create(value = 1): Promise<{ encoder: ImageEncoder; feeds: Feed[]; wanted: Wanted[] }> {
  const [feeds, wanted]: [Feed[], Wanted[]] = [[], []];
  const encoder = await ImageEncoder.create(layout, {
    runFor(given, outputs) {
      feeds.push(...given);
      wanted.push(...outputs);
      return Promise.resolve([value, value + 1].map((each) => new Float32Array(8).fill(each)));
    },
  });
  after(() => encoder[Symbol.asyncDispose]());
  return { encoder, feeds, wanted };
}

describe('the image encoder', () => {
  it('takes normalised pixels of its own size, and gives the tokens of the picture and of none', async () => {
    const { encoder, feeds, wanted } = await create();
    const pixels = Uint8Array.of(255, 0, 51, 0, 255, 51, 0, 0, 255, 255, 255, 0);
    const { positive, negative } = await encoder.encode(pixels);
    assert.deepEqual([positive, negative], [new Float32Array(8).fill(1), new Float32Array(8).fill(2)]);
    const [{ data, shape }] = feeds;
    assert.deepEqual(shape, [1, 3, 2, 2]);
    const normal = (value: number, mean: number, deviation: number): number => (value - mean) / deviation;
    const planes = [
      ...[1, 0, 0, 1].map((value) => normal(value, 0.5, 0.5)),
      ...[0, 1, 0, 1].map((value) => normal(value, 0.4, 0.25)),
      ...[0.2, 0.2, 1, 0].map((value) => normal(value, 0.3, 0.2)),
    ];
    assertClose(Float32Array.from(data, Number), planes, 1e-6, 'pixels');
    assert.deepEqual(
      wanted.map(({ port, shape: size }) => [port.name, size]),
      [
        ['image_tokens', [1, 2, 4]],
        ['negative_image_tokens', [1, 2, 4]],
      ],
    );
  });

  it('refuses a picture of another size, and is named if its values are not finite', async () => {
    await assert.rejects((await create()).encoder.encode(new Uint8Array(11)), /must have 2 x 2 pixels/);
    const fault = { name: 'NotFiniteError', part: 'image_encoder' };
    await assert.rejects((await create(Infinity)).encoder.encode(new Uint8Array(12)), fault);
  });
});
