import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { createStyleCache, embedStyle } from '../../../../src/engine/worker/conditioning/style.js';
import type { StyleTokens } from '../../../../src/engine/worker/networks/image-encoder.js';
import { encodeImage } from '../../../../src/image/encode.js';

const side = 8;

/** Returns a picture of one grey, wider than high. */
async function picture(grey: number): Promise<Uint8Array> {
  const size = { width: 4 * side, height: 2 * side };
  return encodeImage({ ...size, data: new Uint8Array(size.width * size.height * 3).fill(grey) }, 'png', 1);
}

/** Returns what encodes style images as the mean of their bytes, and those that it has encoded. */
function create(): { styleTokens: ReturnType<typeof createStyleCache>; encoded: Uint8Array[] } {
  const encoded: Uint8Array[] = [];
  const encode = (pixels: Uint8Array): Promise<StyleTokens> => {
    encoded.push(pixels);
    const mean = pixels.reduce((sum, byte) => sum + byte, 0) / pixels.length;
    return Promise.resolve({ positive: Float32Array.of(mean), negative: new Float32Array(1) });
  };
  return { styleTokens: createStyleCache({ side, encode }), encoded };
}

describe('the tokens of style images', () => {
  it('are computed once for each picture, at the size of the image encoder', async () => {
    const { styleTokens, encoded } = create();
    const tokensOf = async (style_image: Uint8Array | null): Promise<StyleTokens | null> =>
      embedStyle({ styleTokens }, { ...defaultParameters(), style_image });
    assert.equal(await tokensOf(null), null);
    const [dark, light] = [await picture(20), await picture(200)];
    const first = await tokensOf(dark);
    assert.equal(await tokensOf(dark.slice()), first, 'another stream with the same picture');
    const second = await tokensOf(light);
    assert.deepEqual([first?.positive[0], second?.positive[0]], [20, 200]);
    assert.deepEqual(
      encoded.map(({ length }) => length),
      [3 * side * side, 3 * side * side],
    );
  });

  it('are refused for what is no picture, by name, and others are found as before', async () => {
    const { styleTokens } = create();
    for (const [style_image, message] of [
      [Uint8Array.of(1, 2), 'style_image cannot be used: the data is not a JPEG, PNG or WebP image'],
      ['sha256:00', 'style_image must be a file'],
    ] as const) {
      const parameters = { ...defaultParameters(), style_image };
      await assert.rejects(embedStyle({ styleTokens }, parameters), { field: 'style_image', message });
    }
    const parameters = { ...defaultParameters(), style_image: await picture(7) };
    assert.equal((await embedStyle({ styleTokens }, parameters))?.positive[0], 7);
  });
});
