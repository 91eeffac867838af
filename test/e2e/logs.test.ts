import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SignJWT } from 'jose';
import { createApp } from '../../src/app.js';
import { createLogger } from '../../src/cli/logger.js';
import { readSettings } from '../../src/settings/settings.js';
import { tinyModel } from '../support/engine.js';
import { steeredModel } from '../support/steered-model.js';
import { motionJpegFrames } from '../support/frames.js';
import { StreamClient } from '../support/stream-client.js';

const frames = motionJpegFrames('walkers.mjpeg');
const steered = await steeredModel('all');
const jwtSecret = 'a-secret-of-the-test-that-nobody-else-knows';
const metricsToken = 'a-token-for-prometheus-alone';
const resumeKey = 'a-key-that-servers-share';

describe('the log of a server', () => {
  it('has one line for each task of the start, however many parts it has', async () => {
    let log = '';
    const destination = { write: (line: string) => void (log += line) };
    const flags = { port: 0, model: steered, threads: 1, cacheDirectory: '' };
    const logger = await createLogger({ logLevel: 'info', logFormat: 'json' }, destination);
    const app = await createApp(readSettings({ flags }), logger);
    try {
      await app.listen();
      await app.ready();
    } finally {
      await app[Symbol.asyncDispose]();
    }
    const lines = log
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly msg: string }).msg);
    const task = 'engine: measuring the cost of steering';
    assert.equal(lines.filter((line) => line === task).length, 1);
  });

  it('has one line with totals per session, none per frame, and no secrets, at the finest level', async () => {
    let log = '';
    const destination = { write: (line: string) => void (log += line) };
    const flags = {
      port: 0,
      model: tinyModel,
      threads: 1,
      cacheDirectory: '',
      drainSeconds: 0,
      checkpointSeconds: 0.05,
      jwtSecret,
      metricsToken,
      resumeKey,
    };
    const settings = readSettings({ flags });
    const app = await createApp(
      settings,
      await createLogger({ logLevel: 'trace', logFormat: 'json' }, destination),
    );
    const token = await new SignJWT({ sub: 'somebody' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(jwtSecret));
    const forged = `${token.slice(0, -8)}AAAAAAAA`;
    let checkpoints: readonly string[] = [];
    let metrics = '';
    try {
      const { port } = await app.listen();
      await app.ready();
      const url = `127.0.0.1:${port}`;

      const intruder = await StreamClient.connect(`ws://${url}/v1/stream`);
      intruder.send({ type: 'hello', token: forged });
      await intruder.closed;

      await using client = await StreamClient.connect(`ws://${url}/v1/stream`);
      client.send({ type: 'hello', token, client: 'the test/1', parameters: { width: 64, height: 64 } });
      const { session } = await client.first('ready');
      const ofSession = (): number => lines(log).filter((line) => line.session === session).length;
      const before = ofSession();
      for (const [id, frame] of frames.slice(0, 5).entries()) await client.generate(id, frame);
      assert.equal(ofSession(), before);
      client.send({ type: 'update', request: 1, parameters: { prompt: 'a fox' } });
      await client.first('updated');
      client.send({ type: 'authenticate', token });
      await client.first('authenticated');
      checkpoints = client.all('checkpoint').map((checkpoint) => checkpoint.token);
      const authorization = `Bearer ${metricsToken}`;
      metrics = await (await fetch(`http://${url}/metrics`, { headers: { authorization } })).text();
      assert.match(metrics, /^millrace_auth_failures_total 1$/m);
    } finally {
      await app[Symbol.asyncDispose]();
    }

    const [opened, ...others] = lines(log).filter(({ msg }) => msg === 'session opened');
    assert.deepEqual([opened?.client, opened?.resumed, others], ['the test/1', false, []]);
    const [closed, ...more] = lines(log).filter(({ msg, level }) => msg === 'session closed' && level >= 30);
    assert.deepEqual(more, []);
    assert.equal(closed?.session, opened?.session);
    assert.deepEqual(
      [closed?.frames_received, closed?.frames_sent, closed?.frames_dropped, closed?.updates],
      [5, 5, 0, 1],
    );
    assert.ok(Number(closed?.seconds) > 0);
    assert.equal(typeof closed?.code, 'number');

    assert.ok(checkpoints.length > 0);
    for (const secret of [token, forged, jwtSecret, metricsToken, resumeKey, ...checkpoints]) {
      assert.ok(!log.includes(secret), 'a secret is in the log');
      assert.ok(!metrics.includes(secret), 'a secret is in the metrics');
    }
  });
});

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly session?: string;
  readonly client?: string;
  readonly resumed?: boolean;
  readonly code?: number;
  readonly seconds?: number;
  readonly frames_received?: number;
  readonly frames_sent?: number;
  readonly frames_dropped?: number;
  readonly updates?: number;
}

function lines(log: string): readonly Line[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}
