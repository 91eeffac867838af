import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createEngines } from '../../../src/engine/host/engine-group.js';
import { createEngine } from '../../../src/engine/host/supervisor.js';
import { tinyModel } from '../../support/engine.js';

const observer = { onNote: () => {}, onEvent: () => {} };
const options = { model: tinyModel, threads: 1, cacheDirectory: null, stopTimeoutMs: 600_000 };

it('an engine that is stopped while it loads or measures goes no further than that', async () => {
  for (const moment of ['loading', 'warming up', 'measuring']) {
    const states: string[] = [];
    let hangs = 0;
    let reached: () => void = () => {};
    const there = new Promise<void>((resolve) => (reached = resolve));
    const engine = createEngine({
      ...options,
      device: 'cpu',
      observer: {
        ...observer,
        onState(state) {
          states.push(state.name);
          if ('what' in state && state.what.startsWith(moment)) reached();
        },
        onHang: () => (hangs += 1),
      },
    });
    const started = engine.start();
    started.catch(() => {});
    await there;
    await engine[Symbol.asyncDispose]();
    await assert.rejects(started, /stopped/);
    assert.ok(!states.includes('ready'), moment);
    assert.equal(states.at(-1), 'stopped');
    assert.ok(hangs <= 1);
  }
});

it('a call that hangs during the start is reported and not waited for', async () => {
  for (const devices of [['cpu'], ['cpu', 'cpu']]) {
    let hangs = 0;
    const engine = createEngines({
      ...options,
      devices,
      workerFile: new URL('hanging-worker.js', import.meta.url),
      observer: { ...observer, onState: () => {}, onHang: () => (hangs += 1) },
    });
    engine.start().catch(() => {});
    // It would take ten minutes if it waited.
    await engine[Symbol.asyncDispose]();
    assert.equal(hangs, devices.length);
  }
});

it('a thread that cannot start fails the engine, not the process', async () => {
  const failures: Error[] = [];
  const engine = createEngine({
    ...options,
    device: 'cpu',
    // Refused at once, as a thread is when descriptors or memory are used up.
    workerFile: new URL('http://localhost/no-file.js'),
    observer: {
      ...observer,
      onState(state) {
        if (state.name === 'failed') failures.push(state.error);
      },
    },
  });
  await assert.rejects(engine.start());
  assert.equal(failures.length, 1);
  await engine[Symbol.asyncDispose]();
});
