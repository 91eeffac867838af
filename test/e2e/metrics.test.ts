import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const small = { width: 64, height: 64 };

async function metricsOf({ url }: TestServer): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

/** Waits until the metrics contain all of these lines. */
async function untilLines(server: TestServer, ...lines: readonly string[]): Promise<void> {
  let body = '';
  const missing = (): readonly string[] => lines.filter((line) => !body.split('\n').includes(line));
  for (let tries = 0; tries < 200; tries++) {
    body = await metricsOf(server);
    if (missing().length === 0) return;
    await pause(25);
  }
  assert.deepEqual(missing(), []);
}

describe('the metrics of a server', () => {
  it('follow a frame from the network to the acknowledgement', async () => {
    await using server = await startServer();
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, small);
    await client.generate(0, picture);
    client.send({ type: 'update', request: 1, parameters: { prompt: 'a fox' } });
    await untilLines(
      server,
      'millrace_sessions{state="active"} 1',
      'millrace_sessions_total{result="opened"} 1',
      'millrace_admission_wait_seconds_count 1',
      'millrace_frames_received_total 1',
      'millrace_frames_generated_total 1',
      'millrace_frames_sent_total 1',
      'millrace_frame_latency_seconds_count 1',
      'millrace_frame_stage_seconds_count{stage="denoise"} 1',
      'millrace_frame_staleness_seconds_count 1',
      'millrace_time_to_first_frame_seconds_count 1',
      'millrace_parameter_updates_total 1',
    );
    const [, received = ''] =
      /network_bytes_total\{direction="in"\} (\d+)/.exec(await metricsOf(server)) ?? [];
    assert.ok(Number(received) > picture.length);
  });

  it('show waiting sessions, and how long admitted sessions waited', async () => {
    await using server = await startServer({ maxSessions: 1 });
    await server.app.ready();
    const first = await StreamClient.open(server.streamUrl, small);
    await using second = await StreamClient.connect(server.streamUrl);
    second.send({ type: 'hello', parameters: small });
    await second.first('queued');
    await untilLines(
      server,
      'millrace_session_slots 1',
      'millrace_admission_queue_length 1',
      'millrace_sessions{state="queued"} 1',
      'millrace_sessions{state="opening"} 0',
      'millrace_admission_wait_seconds_count 1',
    );
    await first[Symbol.asyncDispose]();
    await second.first('ready');
    await untilLines(
      server,
      'millrace_admission_queue_length 0',
      'millrace_admission_wait_seconds_count 2',
      'millrace_session_closes_total{code="1005"} 1',
      'millrace_session_duration_seconds_count 1',
    );
  });

  it('distinguish a session that lost its connection from one that resumed', async () => {
    await using server = await startServer({ graceSeconds: 60 });
    await server.app.ready();
    const lost = await StreamClient.open(server.streamUrl, small);
    const { token } = await lost.first('checkpoint');
    lost.socket.terminate();
    await untilLines(
      server,
      'millrace_sessions{state="parked"} 1',
      'millrace_session_closes_total{code="1006"} 1',
    );
    await using back = await StreamClient.connect(server.streamUrl);
    back.send({ type: 'hello', resume: token });
    await back.first('ready');
    await untilLines(
      server,
      'millrace_sessions{state="parked"} 0',
      'millrace_sessions{state="active"} 1',
      'millrace_sessions_total{result="resumed"} 1',
      'millrace_resumes_total{result="resumed"} 1',
    );
    await using late = await StreamClient.connect(server.streamUrl);
    late.send({ type: 'hello', resume: `${token.slice(0, -4)}AAAA` });
    await late.closed;
    await untilLines(server, 'millrace_resumes_total{result="refused"} 1');
  });

  it('show that the server drains, and how long clients take to leave', async () => {
    await using server = await startServer({ drainSeconds: 60 });
    await server.app.ready();
    const clients = [
      await StreamClient.open(server.streamUrl, small),
      await StreamClient.open(server.streamUrl, small),
    ];
    const stopped = server.app[Symbol.asyncDispose]();
    for (const client of clients) await client.first('drain');
    await untilLines(server, 'millrace_draining 1', 'millrace_ready 0', 'millrace_drain_seconds_count 0');
    await clients[0]?.[Symbol.asyncDispose]();
    await untilLines(server, 'millrace_drain_seconds_count 1', 'millrace_sessions{state="active"} 1');
    await clients[1]?.[Symbol.asyncDispose]();
    await stopped;
  });

  it('also count requests refused over HTTP', async () => {
    await using server = await startServer();
    await server.app.ready();
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify({ steps: -1 }) };
    assert.equal((await fetch(`${server.url}/v1/txt2img`, request)).status, 400);
    await untilLines(server, 'millrace_errors_total{code="invalid_parameter"} 1');
  });
});
