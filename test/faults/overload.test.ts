import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { motionJpegFrames } from '../support/frames.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const light = { width: 64, height: 64 };
/** More work than the sessions were admitted for. */
const heavy = { width: 512, height: 512, steps: 10 };

it('an overloaded server sends its clients their share of frames', async () => {
  await using server = await startServer({ sloFps: 10, maxSessions: 8, maxCallSeconds: 0 });
  await server.app.ready();
  await using first = await StreamClient.open(server.streamUrl, light);
  await using second = await StreamClient.open(server.streamUrl, light);
  for (const client of [first, second]) {
    client.send({ type: 'update', request: 0, parameters: heavy });
    await client.first('updated');
  }
  const stop = new AbortController();
  const feed = async (client: StreamClient): Promise<void> => {
    for (let id = 0; !stop.signal.aborted; id++) {
      await client.sendFrame(id, picture);
      await sleep(20);
    }
  };
  const feeds = [first, second].map(feed);
  for (const client of [first, second]) {
    const { fps } = await client.first('quality');
    assert.ok(fps !== null && fps > 0 && fps < 10, `${fps} frames a second`);
  }
  stop.abort();
  await Promise.all(feeds);
});
