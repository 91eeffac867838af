import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { BufferPool } from '../../../../src/engine/buffer-pool.js';
import { StreamPictures } from '../../../../src/engine/worker/streams/stream-pictures.js';
import type { Image } from '../../../../src/image/image.js';
import type { Mask } from '../../../../src/image/mask.js';

const [width, height] = [8, 4];
const size = { width, height };
const memory = new BufferPool(2);

/** A model whose positions are squares of two pixels, and whose networks take multiples of six. */
const model = {
  folder: {
    pixelFactor: 2,
    controls: [{ name: 'tile', preprocessor: 'feedback', preprocessors: ['feedback', 'passthrough'] }],
  },
  latentShape: (of: typeof size): [number, number, number] => [
    4,
    Math.ceil(of.height / 6) * 3,
    Math.ceil(of.width / 6) * 3,
  ],
};

function parametersOf(changes: Partial<StreamParameters>): StreamParameters {
  return { ...defaultParameters(), ...size, mask_feather: 0, ...changes };
}

function setUp(changes: Partial<StreamParameters> = {}): {
  readonly pictures: StreamPictures;
  readonly change: (more: Partial<StreamParameters>) => void;
} {
  let parameters = parametersOf(changes);
  const pictures = new StreamPictures(model, parameters);
  const change = (more: Partial<StreamParameters>): void => {
    parameters = { ...parameters, ...more };
    pictures.parameters = parameters;
  };
  return { pictures, change };
}

/** A picture with this byte everywhere. */
function plain(byte: number, of: typeof size = size): Image {
  return { ...of, data: new Uint8Array(of.width * of.height * 3).fill(byte) };
}

/** A mask whose left half is 255. */
function leftHalf(): Mask {
  return { ...size, data: Uint8Array.from({ length: width * height }, (_, i) => (i % width < 4 ? 255 : 0)) };
}

describe('the mask of a frame', () => {
  const image = plain(9);
  /** Positions of the latent: [3, 6], of which [2, 4] belong to the picture. */
  const rowOf = (latent: Float32Array | undefined, row: number): readonly number[] =>
    [...(latent ?? [])].slice(6 * row, 6 * row + 6);

  it('is none by default', () => {
    const { pictures } = setUp();
    const { mask, pixels } = pictures.prepare({ image }, image, memory);
    assert.equal(mask, null);
    assert.equal(pixels, image.data);
  });

  it('is that of the parameters, drawn once and again after a change', () => {
    const { pictures, change } = setUp({ mask: 'rectangle', mask_width: 0.5, mask_height: 1 });
    const { mask: first } = pictures.prepare({ image }, image, memory);
    assert.deepEqual(rowOf(first?.latent, 0), [0, 1, 1, 0, 0, 0]);
    assert.equal(first?.pixels.data[2], 255);
    assert.equal(pictures.prepare({ image }, image, memory).mask, first);
    change({ mask_x: 0.25 });
    assert.deepEqual(rowOf(pictures.prepare({ image }, image, memory).mask?.latent, 1), [1, 1, 0, 0, 0, 0]);
    assert.deepEqual(rowOf(first?.latent, 0), [0, 1, 1, 0, 0, 0], 'frames under way keep theirs');
    change({ mask: 'ellipse' });
    const ellipse = pictures.prepare({ image }, image, memory).mask;
    assert.ok((ellipse?.latent[0] ?? 0) < 1);
    change({ mask: 'none' });
    assert.equal(pictures.prepare({ image }, image, memory).mask, null);
  });

  it('is its own, if it has one', () => {
    const { pictures } = setUp({ mask: 'rectangle' });
    const own = leftHalf();
    const { mask } = pictures.prepare({ image, mask: own }, image, memory);
    assert.equal(mask?.pixels, own);
    assert.deepEqual(rowOf(mask.latent, 0), [1, 1, 0, 0, 0, 0]);
  });

  it('repeats the last pixels where the picture is filled up for the networks', () => {
    const { pictures } = setUp({ mask_invert: true });
    const { mask } = pictures.prepare({ image, mask: leftHalf() }, image, memory);
    for (const row of [0, 1, 2]) assert.deepEqual(rowOf(mask?.latent, row), [0, 0, 1, 1, 1, 1]);
  });

  it('is inverted and made soft as the parameters say, whichever it is', () => {
    const changes = { mask_invert: true, mask_feather: 0.5 };
    const own = setUp(changes).pictures.prepare({ image, mask: leftHalf() }, image, memory).mask;
    const drawn = setUp({ ...changes, mask: 'rectangle', mask_x: 0, mask_width: 1, mask_height: 1 });
    const { mask } = drawn.pictures.prepare({ image }, image, memory);
    assert.deepEqual(mask, own);
    assert.deepEqual(
      [...(own?.pixels.data.subarray(0, width) ?? [])].sort((a, b) => a - b),
      [...(own?.pixels.data.subarray(0, width) ?? [])],
    );
    assert.ok(own?.pixels.data.some((share) => share > 0 && share < 255));
  });

  it('from a picture is what is white in it; with a mask of the parameters, what is in both', () => {
    const person = {
      ...size,
      data: Uint8Array.from({ length: width * height * 3 }, (_, p) =>
        p % 3 ? 7 : 10 * (Math.floor(p / 3) % width),
      ),
    };
    const firstRow = (changes: Partial<StreamParameters>): readonly number[] =>
      [...setUp(changes).pictures.maskOf(person).data].slice(0, width);
    assert.deepEqual(firstRow({}), [0, 10, 20, 30, 40, 50, 60, 70]);
    const right = { mask: 'rectangle', mask_x: 1, mask_width: 1, mask_height: 2 } as const;
    assert.deepEqual(firstRow(right), [0, 0, 0, 0, 40, 50, 60, 70]);
  });

  it('is none if all may change, so that nothing is kept', () => {
    const all = { ...size, data: new Uint8Array(width * height).fill(255) };
    const { pictures, change } = setUp({ mask: 'rectangle', mask_width: 1, mask_height: 1 });
    assert.equal(pictures.prepare({ image }, image, memory).mask, null);
    assert.equal(pictures.prepare({ image, mask: all }, image, memory).mask, null);
    change({ mask_invert: true });
    assert.ok(pictures.prepare({ image }, image, memory).mask, 'nothing may change');
  });
});

describe('a result', () => {
  it('has the pixels of the input where the mask is 0', () => {
    const { pictures } = setUp();
    const image = plain(9);
    const input = { image, mask: leftHalf() };
    const { mask } = pictures.prepare(input, image, memory);
    assert.ok(mask);
    const result = plain(200);
    pictures.complete(result, { input, image, mask });
    for (let p = 0; p < result.data.length; p++) {
      assert.equal(result.data[p], Math.floor(p / 3) % width < 4 ? 200 : 9);
    }
  });
});

describe('the picture of a control that takes results', () => {
  const feedback = { name: 'tile', preprocessor: 'feedback' };
  const on = { controls: { tile: { scale: 1 } } };
  const image = plain(9);

  it('is the last result, a copy of it; before the first, the frame', () => {
    const { pictures, change } = setUp(on);
    assert.equal(pictures.feedbackFor(feedback, image), image);
    const result = plain(200);
    pictures.resultLeft(result);
    result.data.fill(0);
    assert.equal(pictures.feedbackFor(feedback, image)?.data[0], 200);
    assert.equal(
      pictures.prepare({ image }, image, memory).pixels,
      image.data,
      'nothing is mixed into the frame',
    );
    change({ width: height, height: width });
    assert.equal(pictures.feedbackFor(feedback, image), image, 'after another size');
    assert.equal(pictures.feedbackFor({ name: 'depth', preprocessor: 'depth' }, image), null);
  });

  it('is not kept unless one is on', () => {
    const { pictures, change } = setUp({ controls: { tile: { scale: 0 } } });
    pictures.resultLeft(plain(200));
    change(on);
    assert.equal(pictures.feedbackFor(feedback, image), image);
    pictures.resultLeft(plain(200));
    change({ controls: { tile: { scale: 1, preprocessor: 'passthrough' } } });
    pictures.resultLeft(plain(201));
    change(on);
    assert.equal(pictures.feedbackFor(feedback, image), image);
  });
});

describe('picture feedback', () => {
  /** Returns the first byte of a frame of this byte as it is encoded. */
  const enter = (pictures: StreamPictures, byte: number): number | undefined => {
    const image = plain(byte);
    const { pixels } = pictures.prepare({ image }, image, memory);
    assert.equal(image.data[0], byte, 'the picture itself stays');
    assert.ok(pixels.every((value) => value === pixels[0]));
    return pixels[0];
  };

  it('mixes a share of the last result into the next picture', () => {
    const { pictures } = setUp({ pixel_feedback: 0.25 });
    assert.equal(enter(pictures, 100), 100, 'there is none yet');
    const result = plain(200);
    pictures.resultLeft(result);
    result.data.fill(0);
    assert.equal(enter(pictures, 100), 125);
    assert.equal(enter(pictures, 100), 125, 'until the next result');
    pictures.resultLeft(plain(0));
    assert.equal(enter(pictures, 100), 75);
  });

  it('is off by default, and forgets when it is turned off', () => {
    const { pictures, change } = setUp();
    pictures.resultLeft(plain(200));
    change({ pixel_feedback: 0.5 });
    assert.equal(enter(pictures, 100), 100);
    pictures.resultLeft(plain(200));
    assert.equal(enter(pictures, 100), 150);
    change({ pixel_feedback: 0 });
    assert.equal(enter(pictures, 100), 100);
    pictures.resultLeft(plain(200));
    change({ pixel_feedback: 0.5 });
    assert.equal(enter(pictures, 100), 100);
  });

  it('forgets results of another size, and those before a failure', () => {
    const { pictures, change } = setUp({ pixel_feedback: 0.5 });
    pictures.resultLeft(plain(200));
    pictures.forget();
    assert.equal(enter(pictures, 100), 100);
    pictures.resultLeft(plain(200));
    const turned = { width: height, height: width };
    change(turned);
    const image = plain(100, turned);
    assert.equal(pictures.prepare({ image }, image, memory).pixels[0], 100);
    pictures.resultLeft(plain(200));
    assert.equal(pictures.prepare({ image }, image, memory).pixels[0], 100, 'a late one of the former size');
    change(size);
    assert.equal(enter(pictures, 100), 100);
  });

  it('leaves out what the mask keeps', () => {
    const { pictures } = setUp({ pixel_feedback: 0.5 });
    pictures.resultLeft(plain(200));
    const image = plain(100);
    const { pixels } = pictures.prepare({ image, mask: leftHalf() }, image, memory);
    for (let p = 0; p < pixels.length; p++) {
      assert.equal(pixels[p], Math.floor(p / 3) % width < 4 ? 150 : 100);
    }
  });

  it('stays bounded over 10,000 frames, at the largest share', () => {
    const { pictures } = setUp({ pixel_feedback: 0.95 });
    const image = plain(100);
    let last = 0;
    for (let frame = 0; frame < 10_000; frame++) {
      const { pixels } = pictures.prepare({ image }, image, memory);
      last = pixels[0] ?? -1;
      // A network that brightens a little what it gets.
      pictures.resultLeft(plain(Math.min(255, last + 2)));
    }
    assert.ok(last > 100 && last < 180, `${last}`);
  });
});
