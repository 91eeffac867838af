import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeImage } from '../../src/image/decode.js';
import type { Image } from '../../src/image/image.js';
import { meanDifference } from '../image/pictures.js';
import { embeddedModel } from '../support/engine.js';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const frames = motionJpegFrames('walkers.mjpeg');
const pixels = (data: Uint8Array): Promise<Image> => decodeImage(data, { maxPixels: 1_000_000 });

/** Sends the first frames of the video one after another. Returns their results. */
async function play(client: StreamClient, count: number): Promise<readonly Image[]> {
  const images: Image[] = [];
  for (const [id, frame] of frames.slice(0, count).entries()) {
    const answer = await client.generate(id, frame);
    assert.ok(answer.type === 'result');
    images.push(await pixels(answer.data));
  }
  return images;
}

function differences(a: readonly Image[], b: readonly Image[]): readonly number[] {
  return a.map((image, index) => meanDifference(image, b[index]));
}

describe('a video through the embedded model', () => {
  let server: TestServer;

  before(async () => {
    // Floats: 8-bit graphs round differently at other batch sizes, by up to two steps of brightness.
    server = await startServer({ model: embeddedModel, precision: 'float' });
    await server.app.ready();
  });
  after(() => server[Symbol.asyncDispose]());

  it('answers each frame once, returns results in order and prefers the newest frame', async () => {
    await using client = await StreamClient.open(server.streamUrl);
    const count = 60;
    // The camera is faster than the model: frames that do not fit are superseded.
    for (let id = 0; id < count; id++) {
      await client.sendFrame(id, frames[id % frames.length]);
      await pause(10);
    }
    await client.until(() => client.all('result').find(({ id }) => id === count - 1));

    const results = client.all('result');
    const dropped = client.all('dropped');
    assert.equal(results.length + dropped.length, count);
    assert.deepEqual(client.all('error'), []);
    assert.ok(dropped.every(({ reason }) => reason === 'superseded'));
    assert.ok(results.length >= 2);
    for (const [index, result] of results.entries()) {
      assert.equal(result.sequence, index + 1);
      assert.equal(result.captured, result.id);
      assert.ok(index === 0 || result.id > results[index - 1].id);
      const { width, height } = await pixels(result.data);
      assert.deepEqual([width, height], [256, 256]);
    }
  });

  it('changes with the prompt, from the reported frame on', async () => {
    await using client = await StreamClient.open(server.streamUrl, { prompt: 'pencil sketch' });
    const [sketch] = await play(client, 1);
    client.send({ type: 'update', request: 5, parameters: { prompt: 'thermal vision' } });
    const updated = await client.first('updated');
    assert.deepEqual([updated.request, updated.from, updated.parameters.prompt], [5, 1, 'thermal vision']);
    const answer = await client.generate(1, frames[0]);
    assert.ok(answer.type === 'result');
    assert.ok(meanDifference(sketch, await pixels(answer.data)) > 10);
  });

  it('returns the same pictures to two concurrent clients as to each alone', async () => {
    const count = 6;
    const settings = [
      { prompt: 'blueprint', seed: 1 },
      { prompt: 'van gogh painting, vivid colors', strength: 0.5, steps: 2, denoise: 'stream', seed: 9 },
    ] as const;
    const alone: (readonly Image[])[] = [];
    for (const parameters of settings) {
      await using client = await StreamClient.open(server.streamUrl, parameters);
      alone.push(await play(client, count));
    }
    await using one = await StreamClient.open(server.streamUrl, settings[0]);
    await using other = await StreamClient.open(server.streamUrl, settings[1]);
    const concurrent = await Promise.all([play(one, count), play(other, count)]);
    for (const [index, images] of concurrent.entries()) {
      // A batch sums in another order, which changes a JPEG by less than one step of brightness.
      assert.ok(Math.max(...differences(images, alone[index])) < 0.5);
    }
    assert.ok(Math.min(...differences(concurrent[0], concurrent[1])) > 10);
  });
});
