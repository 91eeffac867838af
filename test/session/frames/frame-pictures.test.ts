import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { decodeImage } from '../../../src/image/decode.js';
import type { Allocate, Image } from '../../../src/image/image.js';
import { preprocessors } from '../../../src/image/preprocess/preprocessors.js';
import { encodeJpeg } from '../../../src/image/encode.js';
import { FrameIntake } from '../../../src/session/frames/frame-intake.js';
import { FramePictures } from '../../../src/session/frames/frame-pictures.js';
import { PictureTurns } from '../../../src/session/frames/picture-turns.js';
import { createParts } from './parts.js';

const wanted = 64;
const parameters = {
  ...defaultParameters(),
  width: wanted,
  height: wanted,
  controls: { canny: { scale: 1 }, depth: { scale: 1 } },
};
const controls = ['canny', 'depth'].map((name) => ({ name, preprocessors: [], preprocessor: null }));

function jpeg(side: number): Promise<Uint8Array> {
  return encodeJpeg({ width: side, height: side, data: new Uint8Array(side * side * 3) }, 90);
}

/** Makes the pictures of frames with these sides. @returns the side of the largest picture that each buffer fits. */
async function buffersOf(...frames: readonly (readonly [frame: number, canny: number, depth: number])[]) {
  const buffers: number[] = [];
  const pictures = new FramePictures({
    pictures: {
      decode: (bytes, { allocate = (length) => new Uint8Array(length), ...options }) => {
        let first = true;
        return decodeImage(bytes, {
          ...options,
          allocate(length) {
            const memory = allocate(length);
            if (first) buffers.push(Math.sqrt(memory.buffer.byteLength / 3));
            first = false;
            return memory;
          },
        });
      },
    },
    allocate: (bytes) => new Uint8Array(bytes),
    framePixels: 1_000_000,
    controls,
  });
  for (const sides of frames) {
    const [data, canny, depth] = await Promise.all(sides.map(jpeg));
    const made = await pictures.make({ data, controls: { canny, depth } }, parameters);
    for (const { width, height } of [made.image, ...Object.values(made.controls ?? {})].filter(
      (x) => x !== null,
    )) {
      assert.deepEqual([width, height], [wanted, wanted]);
    }
  }
  return buffers;
}

describe('the buffer for pictures to be resized', () => {
  it('is shared by the pictures of a frame, however small the later ones are', async () => {
    assert.deepEqual(await buffersOf([240, 100, 72], [240, wanted, 100]), [240, 240, 240, 240, wanted, 240]);
  });

  it('is released when no picture of a frame needs it, and not before', async () => {
    const released = await buffersOf([240, wanted, wanted], [wanted, wanted, wanted], [130, wanted, wanted]);
    assert.deepEqual(released, [240, wanted, wanted, wanted, wanted, wanted, 130, wanted, wanted]);
    const kept = await buffersOf([240, wanted, wanted], [wanted, wanted, 240], [200, wanted, wanted]);
    assert.deepEqual(kept, [240, wanted, wanted, wanted, wanted, 240, 240, wanted, wanted]);
  });
});

it('the pictures of a frame are made in one turn, one after another, and their time is charged together', async () => {
  const parts = createParts(parameters);
  const turns = new PictureTurns(1);
  let runs = 0;
  const run = turns.run.bind(turns);
  turns.run = (owner, work) => {
    runs += 1;
    return run(owner, work);
  };
  let decoding = 0;
  const intake = new FrameIntake({
    ...parts,
    turns,
    pictures: {
      async decode(bytes, options) {
        decoding += 1;
        assert.equal(decoding, 1);
        const image = await decodeImage(bytes, options);
        decoding -= 1;
        return image;
      },
    },
    framePixels: 1_000_000,
    allocate: (bytes) => new Uint8Array(bytes),
    controls,
  });
  parts.connect();
  const data = await jpeg(wanted);
  intake.receive({ type: 'frame', id: 0, captured: 0, data, controls: { canny: data, depth: data } });
  while (parts.pushed.length === 0) await new Promise(setImmediate);
  assert.equal(runs, 1);
  assert.ok(intake.decodeMs > 0);
});

it('pictures of controls are made once for each preprocessor, and other work gets a turn before each', async (t) => {
  const order: string[] = [];
  for (const name of ['canny', 'soft_edge'] as const) {
    const { prepare } = preprocessors[name];
    t.mock.method(preprocessors[name], 'prepare', (of: Image, allocate: Allocate) => {
      order.push(name);
      setImmediate(() => order.push('other work'));
      return prepare(of, allocate);
    });
  }
  const names = ['lines', 'more lines', 'edges'];
  const pictures = new FramePictures({
    pictures: { decode: decodeImage },
    allocate: (bytes) => new Uint8Array(bytes),
    framePixels: 1_000_000,
    controls: names.map((name) => ({ name, preprocessors: [], preprocessor: 'canny' })),
  });
  const on = { lines: { scale: 1 }, 'more lines': { scale: 1 } };
  const all = { ...on, edges: { scale: 1, preprocessor: 'soft_edge' } };
  const { image, controls: made = {} } = await pictures.make(
    { data: await jpeg(wanted) },
    { ...parameters, controls: all },
  );
  assert.deepEqual(order, ['canny', 'other work', 'soft_edge']);
  assert.deepEqual(made['more lines'], made['lines']);
  const memory = [image, ...Object.values(made)].map((picture) => picture?.data.buffer);
  assert.equal(new Set(memory).size, 4, 'each has memory of its own');
});

it('a frame says which pictures of controls came with it, and which were made from it', async () => {
  const pictures = new FramePictures({
    pictures: { decode: decodeImage },
    allocate: (bytes) => new Uint8Array(bytes),
    framePixels: 1_000_000,
    controls: controls.map(({ name }) => ({ name, preprocessors: [], preprocessor: 'canny' })),
  });
  const data = await jpeg(wanted);
  const made = await pictures.make({ data, controls: { depth: data } }, parameters);
  assert.deepEqual([Object.keys(made.controls ?? {}), made.sent], [['canny', 'depth'], ['depth']]);
  assert.equal((await pictures.make({ data }, parameters)).sent, undefined);
});
