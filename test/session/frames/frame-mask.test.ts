import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { defaultParameters } from '@millrace/protocol';
import { decodeImage } from '../../../src/image/decode.js';
import { FramePictures } from '../../../src/session/frames/frame-pictures.js';

const side = 64;
const parameters = { ...defaultParameters(), width: side, height: side, fit: 'stretch' } as const;

/** Returns a square PNG of one grey. */
function grey(of: number, level: number): Promise<Buffer> {
  const background = { r: level, g: level, b: level };
  return sharp({ create: { width: of, height: of, channels: 3, background } })
    .png()
    .toBuffer();
}

/** @param framePixels that the pictures of a frame may have. */
function setUp(framePixels = 100_000): { readonly pictures: FramePictures; readonly allocated: number[] } {
  const allocated: number[] = [];
  const allocate = (bytes: number): Uint8Array<ArrayBuffer> => {
    allocated.push(bytes);
    return new Uint8Array(bytes);
  };
  const decode = { decode: decodeImage };
  return {
    pictures: new FramePictures({ pictures: decode, allocate, framePixels, controls: [] }),
    allocated,
  };
}

describe('the mask of a frame', () => {
  it('is fitted to the stream, in memory that the engine gets: a byte per pixel', async () => {
    const { pictures, allocated } = setUp();
    for (const of of [side, 16, 100]) {
      const input = await pictures.make({ data: await grey(side, 9), mask: await grey(of, 200) }, parameters);
      assert.deepEqual([input.mask?.width, input.mask?.height], [side, side]);
      assert.deepEqual(new Set(input.mask?.data), new Set([200]));
      assert.deepEqual(allocated.splice(0), [side * side * 3, side * side]);
    }
    assert.equal((await pictures.make({ data: await grey(side, 9) }, parameters)).mask, undefined);
  });

  it('counts once towards the pixels of all pictures, also if it is read twice', async () => {
    const most = side * side + 16 * 16;
    const data = await grey(side, 9);
    const { pictures } = setUp(most);
    for (const level of [0, 200]) {
      const input = await pictures.make({ data, mask: await grey(16, level) }, parameters);
      assert.equal(input.mask?.data[0], level);
    }
    await assert.rejects(pictures.make({ data, mask: await grey(17, 0) }, parameters), {
      code: 'invalid_frame',
      details: { field: 'mask' },
      message: `the mask cannot be used: the pictures of the frame have more than ${most} pixels together`,
    });
  });

  it('is named if it is no image, and the next frame is as usual', async () => {
    const { pictures } = setUp();
    const data = await grey(side, 9);
    await assert.rejects(pictures.make({ data, mask: Buffer.from('none') }, parameters), {
      code: 'invalid_frame',
      details: { field: 'mask' },
      message: 'the mask cannot be used: the data is not a JPEG, PNG or WebP image',
    });
    assert.equal((await pictures.make({ data, mask: data }, parameters)).mask?.data[0], 9);
  });
});
