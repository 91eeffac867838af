import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLocal, localPromise } from '../../src/cli/local-promise.js';
import { readSettings, type Settings } from '../../src/settings/settings.js';
import { tinyModel } from '../support/engine.js';
import { startServer } from '../support/server-process.js';

const tiny = ['--model', tinyModel, '--cache-directory', '', '--threads', '1', '--drain-seconds', '0'];

/** Starts `millrace serve`. @returns what it promises a session. */
async function promiseOf(...flags: readonly string[]): Promise<Record<keyof typeof localPromise, unknown>> {
  await using server = await startServer(...tiny, ...flags);
  const values = await server.metrics('millrace_slo_');
  return {
    sloFps: values.get('millrace_slo_frames_per_second'),
    sloLatencySeconds: values.get('millrace_slo_latency_seconds'),
  };
}

describe('a server for users of its own machine', () => {
  it('promises each few frames, so that many fit; settings win over that', async () => {
    assert.deepEqual(await promiseOf(), localPromise);
    const { sloFps, sloLatencySeconds } = readSettings({ flags: { sloFps: 5 }, defaults: localPromise });
    assert.deepEqual({ sloFps, sloLatencySeconds }, { ...localPromise, sloFps: 5 });
  });

  it('promises as much as any other as soon as others reach it', async () => {
    const { sloFps, sloLatencySeconds } = readSettings({});
    assert.deepEqual(await promiseOf('--trusted-proxies', '10.0.0.0/8'), { sloFps, sloLatencySeconds });
    const shared: readonly Partial<Settings>[] = [
      { host: '0.0.0.0' },
      { apiKeys: 'keys.json' },
      { jwtSecret: 'x' },
      { allowedOrigins: ['https://studio.example'] },
      { agentPort: 8421 },
      { resumeKey: 'shared by a fleet' },
    ];
    for (const flags of shared) assert.ok(!isLocal(readSettings({ flags })), JSON.stringify(flags));
    assert.ok(isLocal(readSettings({ flags: { host: '::1' } })));
  });
});
