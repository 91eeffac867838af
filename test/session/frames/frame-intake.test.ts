import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { decodeImage } from '../../../src/image/decode.js';
import { encodeJpeg } from '../../../src/image/encode.js';
import { ImageError, type Image } from '../../../src/image/image.js';
import { FrameIntake } from '../../../src/session/frames/frame-intake.js';
import { PictureTurns } from '../../../src/session/frames/picture-turns.js';
import { exifBlock, jpegSegment, withSegments } from '../../image/files.js';
import { meanColour } from '../../image/pictures.js';
import { createParts } from './parts.js';

const wanted = 64;
const parameters = { ...defaultParameters(), width: wanted, height: wanted };

/** A JPEG that is white on the left and black on the right. */
const left = Buffer.from(await encodeJpeg(halves(wanted), 95));

function halves(side: number): Image {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) data.fill(255, y * side * 3, (y * side + side / 2) * 3);
  return { width: side, height: side, data };
}

/** Returns an intake with a client, and what is around it. */
function setUp(decode = decodeImage) {
  const parts = createParts(parameters);
  const turns = new PictureTurns(1);
  const intake = new FrameIntake({
    ...parts,
    turns,
    pictures: { decode },
    framePixels: 1_000_000,
    controls: [],
    allocate: (bytes) => new Uint8Array(bytes),
  });
  const client = parts.connect();
  /** Sends a frame, and waits until it is in the engine, or dropped. @returns its picture; null if it was dropped. */
  const send = async (id: number, data: Uint8Array): Promise<Image | null> => {
    intake.receive({ type: 'frame', id, captured: 0, data });
    while (parts.ledger.find(id)?.place === 'input') await new Promise(setImmediate);
    return parts.pushed.find((pushed) => pushed.id === id)?.image ?? null;
  };
  return { ...parts, intake, turns, client, send };
}

/** Sends square JPEGs with these sides in turn. @returns the side of the largest picture that each buffer fits. */
async function buffersOf(...sides: readonly number[]): Promise<readonly number[]> {
  const buffers: number[] = [];
  const { intake, ledger, send } = setUp(
    async (bytes, { allocate = (length) => new Uint8Array(length), ...options }) => {
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
  );
  for (const [id, side] of sides.entries()) {
    const data = await encodeJpeg({ width: side, height: side, data: new Uint8Array(side * side * 3) }, 90);
    const image = await send(id, data);
    assert.deepEqual([image?.width, image?.height], [wanted, wanted]);
    const frame = ledger.find(id);
    assert.ok(frame);
    intake.admitted(frame);
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
  const { send } = setUp();
  const image = await send(0, withSegments(left, jpegSegment(0xe1, exifBlock(6))));
  assert.ok(image);
  const [top] = meanColour(image, 0, 0, wanted, wanted / 4);
  const [bottom] = meanColour(image, 0, (wanted * 3) / 4, wanted, wanted / 4);
  assert.ok(top > 200 && bottom < 50, `${top}, ${bottom}`);
});

it('a frame is on its way in from the moment when work on it begins, until it is dropped or all ends', async () => {
  for (const end of ['drop', 'close'] as const) {
    const { intake, ledger, gate, pushed, turns } = setUp();
    // Its turn never comes.
    void turns.run({}, () => new Promise(() => {}));
    let begun = 0;
    gate.frameBegun = () => void (begun += 1);
    await ledger.allAdmitted();
    intake.receive({ type: 'frame', id: 0, captured: 0, data: left });
    intake.receive({ type: 'frame', id: 1, captured: 0, data: left });
    assert.equal(begun, 1);
    const [frame, waiting] = ledger.open();
    assert.equal(intake.waitingSince, waiting.arrivedAt);
    let settled = false;
    const admitted = ledger.allAdmitted().then(() => (settled = true));
    intake.clear();
    await new Promise(setImmediate);
    assert.deepEqual([settled, intake.waitingSince, ledger.open()], [false, null, [frame]]);
    if (end === 'drop') ledger.drop(frame, 'failed');
    else ledger.close();
    await admitted;
    intake.close();
    await new Promise(setImmediate);
    assert.deepEqual(pushed, []);
  }
});

it('an unreadable picture is an error of the client, anything else an internal one', async () => {
  const faults = [new ImageError('not a picture'), new Error('no memory')];
  const { client, ledger, send } = setUp(() => Promise.reject(faults[ledger.nextId - 1]));
  for (const id of faults.keys()) assert.equal(await send(id, left), null);
  assert.deepEqual(client.reports, [
    ['invalid_frame', 'not a picture', { id: 0 }],
    ['internal', 'the frame could not be prepared', { id: 1 }, faults[1]],
  ]);
  const drops = client.sent.flatMap((message) => (message.type === 'dropped' ? message.reason : []));
  assert.deepEqual(drops, ['invalid', 'failed']);
});

it('without a connection, a picture that cannot be decoded is dropped in silence', async () => {
  for (const fault of [new ImageError('not a picture'), new Error('no memory')]) {
    let fail: (fault: Error) => void = () => {};
    const { intake, ledger, client } = setUp(() => new Promise((_, reject) => (fail = reject)));
    intake.receive({ type: 'frame', id: 0, captured: 0, data: left });
    await new Promise(setImmediate);
    ledger.disconnect();
    fail(fault);
    while (ledger.open().length > 0) await new Promise(setImmediate);
    assert.deepEqual([client.reports, client.sent], [[], []]);
  }
});
