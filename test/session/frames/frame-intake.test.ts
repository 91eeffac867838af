import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { decodeImage } from '../../../src/image/decode.js';
import { encodeJpeg } from '../../../src/image/encode.js';
import type { Image } from '../../../src/image/image.js';
import { FrameIntake } from '../../../src/session/frames/frame-intake.js';
import type { Frame } from '../../../src/session/frames/frame-ledger.js';
import { exifBlock, jpegSegment, withSegments } from '../../image/files.js';
import { meanColour } from '../../image/pictures.js';

const wanted = 64;
const parameters = { ...defaultParameters(), width: wanted, height: wanted };

const frameOf = (id: number): Frame => ({
  id,
  captured: 0,
  arrivedAt: 0,
  place: 'input',
  decodeMs: 0,
  queueMs: 0,
  quality: 80,
});

/** A JPEG that is white on the left and black on the right. */
const left = Buffer.from(await encodeJpeg(halves(wanted), 95));

function halves(side: number): Image {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) data.fill(255, y * side * 3, (y * side + side / 2) * 3);
  return { width: side, height: side, data };
}

/** Sends square JPEGs with these sides in turn. @returns the side of the largest picture that each buffer fits. */
async function buffersOf(...sides: readonly number[]): Promise<readonly number[]> {
  const buffers: number[] = [];
  let done: (error?: unknown) => void = () => {};
  const intake = new FrameIntake({
    framePixels: 1_000_000,
    allocate: (bytes) => new Uint8Array(bytes),
    async decode(bytes, { allocate = (length) => new Uint8Array(length), ...options }) {
      let first: ArrayBuffer | null = null;
      const image = await decodeImage(bytes, {
        ...options,
        allocate(length) {
          const memory = allocate(length);
          assert.equal(memory.length, length);
          first ??= memory.buffer;
          return memory;
        },
      });
      buffers.push(Math.sqrt((first ?? image.data.buffer).byteLength / 3));
      return image;
    },
    inTurn: (work) => work(),
    begun: () => {},
    open: () => true,
    parameters: () => parameters,
    enter: (_, { width, height }) => done(width === wanted && height === wanted ? null : 'not fitted'),
    superseded: () => done('superseded'),
    failed: (_, error) => done(error),
  });
  for (const [id, side] of sides.entries()) {
    const frame = frameOf(id);
    const data = await encodeJpeg({ width: side, height: side, data: new Uint8Array(side * side * 3) }, 90);
    const entered = new Promise((resolve) => (done = resolve));
    intake.put(frame, data);
    assert.equal(await entered, null);
    intake.left(frame);
  }
  return buffers;
}

it('the buffer for pictures to be resized is kept while they fill more than a quarter of it', async () => {
  assert.deepEqual(await buffersOf(240, 130, 240, 100, 240), [240, 240, 240, 100, 240]);
  assert.deepEqual(await buffersOf(240, 120, 110), [240, 240, 110], 'a quarter and less');
});

it('the buffer is released when a picture needs none', async () => {
  assert.deepEqual(await buffersOf(240, wanted, 130), [240, wanted, 130]);
});

it('a picture much larger than the stream is never decoded at full size', async () => {
  assert.deepEqual(await buffersOf(900), [wanted]);
});

it('a frame is rotated upright by its EXIF orientation', async () => {
  const entered = new Promise<Image>((resolve, reject) => {
    const intake = new FrameIntake({
      framePixels: 1_000_000,
      allocate: (bytes) => new Uint8Array(bytes),
      decode: decodeImage,
      inTurn: (work) => work(),
      begun: () => {},
      open: () => true,
      parameters: () => parameters,
      enter: (_, image) => resolve(image),
      superseded: () => reject(new Error('superseded')),
      failed: (_, error) => reject(error instanceof Error ? error : new Error(String(error))),
    });
    intake.put(frameOf(0), withSegments(left, jpegSegment(0xe1, exifBlock(6))));
  });
  const image = await entered;
  const [top] = meanColour(image, 0, 0, wanted, wanted / 4);
  const [bottom] = meanColour(image, 0, (wanted * 3) / 4, wanted, wanted / 4);
  assert.ok(top > 200 && bottom < 50, `${top}, ${bottom}`);
});

it('the intake is empty once its frames have entered or been dropped, or it is closed', async () => {
  for (const end of ['left', 'close'] as const) {
    const begun: number[] = [];
    const intake = new FrameIntake({
      framePixels: 1_000_000,
      allocate: (bytes) => new Uint8Array(bytes),
      decode: decodeImage,
      // Its turn never comes.
      inTurn: () => new Promise(() => {}),
      begun: () => begun.push(1),
      open: () => true,
      parameters: () => parameters,
      enter: () => assert.fail('it has not been decoded'),
      superseded: () => {},
      failed: (_, error) => assert.fail(String(error)),
    });
    await intake.empty();
    const frame = frameOf(0);
    intake.put(frame, left);
    assert.equal(begun.length, 1);
    let settled = false;
    const empty = intake.empty().then(() => (settled = true));
    intake.left(frameOf(1));
    await new Promise(setImmediate);
    assert.equal(settled, false);
    if (end === 'left') intake.left(frame);
    else intake.close();
    await empty;
    await intake.empty();
  }
});
