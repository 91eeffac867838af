import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { settingsTable } from '../../src/settings/settings-table.js';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const pictures = motionJpegFrames('walkers.mjpeg');
/** The service level of a session: so low that one frame more or less must not look like a shortage. */
const fps = 2;
const seconds = 4;

async function metric({ url }: TestServer, name: string): Promise<number> {
  const body = await (await fetch(`${url}/metrics`)).text();
  const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(body) ?? [];
  assert.ok(value, `${name} is missing`);
  return Number(value);
}

async function slotsOfReadiness({ url }: TestServer): Promise<number> {
  const answer = (await (await fetch(`${url}/readyz`)).json()) as { sessions: { slots: number } };
  return answer.sessions.slots;
}

/** Acts as a camera: sends frames at a constant rate and displays the results. */
async function film(client: StreamClient, offset: number): Promise<void> {
  await pause(offset);
  for (let id = 0; id < fps * seconds; id++) {
    await client.sendFrame(id, pictures[id % pictures.length] ?? new Uint8Array());
    await pause(1000 / fps);
  }
}

it('a server with half of its slots taken limits no session', async () => {
  await using server = await startServer({
    sloFps: fps,
    model: settingsTable.model.default,
    // The slots follow from what the machine can do now.
    calibration: 'fresh',
  });
  await server.app.ready();
  const slots = await metric(server, 'millrace_session_slots');
  assert.equal(slots, await slotsOfReadiness(server));
  const clients = await Promise.all(
    Array.from({ length: Math.ceil(slots / 2) }, () => StreamClient.open(server.streamUrl)),
  );
  await Promise.all(clients.map((client, i) => film(client, (1000 / fps) * ((i * 0.618) % 1))));
  for (const client of clients) {
    assert.deepEqual(client.all('quality'), []);
    assert.ok(client.all('result').length > 0);
  }
  assert.equal(await metric(server, 'millrace_sessions_limited'), 0);
  assert.equal(await metric(server, 'millrace_slo_frames_per_second'), fps);
});
