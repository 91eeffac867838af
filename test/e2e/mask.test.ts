import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.js';
import type { Image } from '../../src/image/image.js';
import { embeddedModel } from '../support/engine.js';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const [first, second] = motionJpegFrames('walkers.mjpeg');
const size = 256;
const box = { width: size, height: size, fit: 'cover' } as const;
const maxPixels = 1_000_000;
const look = { prompt: 'van gogh painting', strength: 0.7, quality: 95 } as const;

/** Returns the mean difference of two pictures in a part of them, per value of 0 to 255. */
function difference(a: Image, b: Image, isIn: (x: number, y: number) => boolean): number {
  let [sum, count] = [0, 0];
  for (let p = 0; p < size * size * 3; p++) {
    const pixel = Math.floor(p / 3);
    if (!isIn(pixel % size, Math.floor(pixel / size))) continue;
    sum += Math.abs((a.data[p] ?? 0) - (b.data[p] ?? 0));
    count += 1;
  }
  return sum / count;
}

/** Returns the distance from the middle of the picture, in half sides. */
function radius(x: number, y: number): number {
  return Math.hypot(x - size / 2, y - size / 2) / (size / 2);
}

/** A file that is white on the left and black on the right. */
const leftMask = await sharp({ create: { width: 32, height: 32, channels: 3, background: '#000' } })
  .composite([
    { input: { create: { width: 16, height: 32, channels: 3, background: '#fff' } }, left: 0, top: 0 },
  ])
  .png()
  .toBuffer();
const isLeft = (x: number): boolean => x < size / 2 - 8;
const isRight = (x: number): boolean => x >= size / 2 + 8;

/** Sends a frame. @returns its result. */
async function draw(client: StreamClient, id: number, data: Uint8Array, mask?: Uint8Array): Promise<Image> {
  client.send({ type: 'frame', id, captured: id, data, ...(mask && { mask }) });
  const result = await client.until(() => client.all('result').find((message) => message.id === id));
  return decodeImage(result.data, { maxPixels });
}

describe('a masked video through the embedded model', () => {
  let server: TestServer;
  const input = (data: Uint8Array): Promise<Image> => decodeImage(data, { maxPixels, box });

  before(async () => {
    server = await startServer({ model: embeddedModel, precision: 'float' });
    await server.app.ready();
  });
  after(() => server[Symbol.asyncDispose]());

  it('shows the input outside the mask of the parameters, and the model inside', async () => {
    for (const steps of [1, 2]) {
      const mask = { mask: 'ellipse', mask_width: 0.6, mask_height: 0.6, mask_feather: 0.1 } as const;
      await using client = await StreamClient.open(server.streamUrl, { ...look, ...mask, steps });
      for (const [id, frame] of [first, second].entries()) {
        const result = await draw(client, id, frame);
        const before = await input(frame);
        const outside = difference(result, before, (x, y) => radius(x, y) > 0.72);
        const inside = difference(result, before, (x, y) => radius(x, y) < 0.48);
        assert.ok(outside < 2, `${outside} outside`);
        assert.ok(inside > 10, `${inside} inside`);
      }
    }
  });

  it('shows the input outside the mask of the frame, which takes precedence', async () => {
    const mask = { mask: 'ellipse', mask_feather: 0 } as const;
    await using client = await StreamClient.open(server.streamUrl, { ...look, ...mask });
    const before = await input(first);
    const own = await draw(client, 0, first, leftMask);
    assert.ok(difference(own, before, isRight) < 2);
    assert.ok(difference(own, before, isLeft) > 10);
    const drawn = await draw(client, 1, first);
    assert.ok(difference(drawn, before, (x, y) => radius(x, y) > 0.65) < 2, 'one frame only');
    assert.ok(difference(drawn, before, (x, y) => radius(x, y) < 0.5) > 10);
  });

  it('is as it would be alone, next to one without a mask', async () => {
    const alone: Image[] = [];
    for (const mask of [leftMask, undefined]) {
      await using client = await StreamClient.open(server.streamUrl, look);
      alone.push(await draw(client, 0, first, mask));
    }
    await using one = await StreamClient.open(server.streamUrl, look);
    await using other = await StreamClient.open(server.streamUrl, look);
    const together = await Promise.all([draw(one, 0, first, leftMask), draw(other, 0, first)]);
    for (const [i, image] of together.entries()) {
      // A batch sums in another order, which changes a JPEG by less than one step of brightness.
      assert.ok(difference(image, alone[i] ?? image, () => true) < 0.5);
    }
    assert.ok(difference(together[0], together[1], isRight) > 10);
  });

  it('refuses a mask that is no image by its name, and goes on', async () => {
    await using client = await StreamClient.open(server.streamUrl, look);
    client.send({ type: 'frame', id: 3, captured: 0, data: first, mask: Buffer.from('no image') });
    const error = await client.first('error');
    assert.deepEqual([error.code, error.id, error.field], ['invalid_frame', 3, 'mask']);
    assert.equal(error.message, 'the mask cannot be used: the data is not a JPEG, PNG or WebP image');
    const dropped = await client.first('dropped');
    assert.deepEqual([dropped.id, dropped.reason], [3, 'invalid']);
    await draw(client, 4, first, leftMask);
  });
});
