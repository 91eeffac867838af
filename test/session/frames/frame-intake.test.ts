import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { decodeImage } from '../../../src/image/decode.js';
import { encodeJpeg } from '../../../src/image/encode.js';
import { FrameIntake } from '../../../src/session/frames/frame-intake.js';
import type { Frame } from '../../../src/session/frames/frame-ledger.js';

const wanted = 64;
const parameters = { ...defaultParameters(), width: wanted, height: wanted };

/** Sends in square JPEGs with these sides, one after the other. @returns side of the largest that each one's buffer has room for. */
async function buffersOf(...sides: readonly number[]): Promise<readonly number[]> {
  const buffers: number[] = [];
  let done: (error?: unknown) => void = () => {};
  const intake = new FrameIntake({
    framePixels: 1_000_000,
    allocate: (bytes) => new Uint8Array(bytes),
    async decode(bytes, { allocate = (length) => new Uint8Array(length), ...options }) {
      const decoded = await decodeImage(bytes, { ...options, allocate });
      buffers.push(Math.sqrt(decoded.data.buffer.byteLength / 3));
      return decoded;
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
    const frame: Frame = { id, captured: 0, arrived: 0, place: 'input', decoded: 0, queued: 0, quality: 80 };
    const data = await encodeJpeg({ width: side, height: side, data: new Uint8Array(side * side * 3) }, 90);
    const entered = new Promise((resolve) => (done = resolve));
    intake.put(frame, data);
    assert.equal(await entered, null);
    intake.left(frame);
  }
  return buffers;
}

it('the buffer for pictures that are to be fitted is kept while they fill a quarter of it', async () => {
  assert.deepEqual(await buffersOf(512, 256, 512, 128, 512), [512, 512, 512, 128, 512]);
});

it('the buffer is let go when pictures come that need none', async () => {
  assert.deepEqual(await buffersOf(512, wanted, 256), [512, wanted, 256]);
});
