import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createEngines } from '../../../src/engine/host/engine-group.js';
import { DeviceError } from '../../../src/engine/device.js';
import type { EngineEvent, EngineState } from '../../../src/engine/engine.js';
import { keptCosts, RecordedStream, testImage, tinyModel, tinyParameters } from '../../support/engine.js';

const kept = await keptCosts();

function startOptions(devices: readonly string[]): Parameters<typeof createEngines>[0] & {
  readonly states: EngineState[];
  readonly calls: number[];
} {
  const states: EngineState[] = [];
  const calls: number[] = [];
  const observer = {
    onState: (state: EngineState) => states.push(state),
    onNote: () => {},
    onEvent: (event: EngineEvent) => event.type === 'inference' && calls.push(event.rows),
  };
  return { model: tinyModel, devices, threads: 1, ...kept, observer, states, calls };
}

describe('engines on several devices', () => {
  it('act as one engine: ready together, streams spread, results as from one', async () => {
    const { states, ...options } = startOptions(['cpu', 'cpu']);
    await using engine = createEngines(options);
    await engine.start();
    assert.deepEqual([...new Set(states.map(({ name }) => name))], ['starting', 'ready']);
    assert.ok(engine.state.name === 'ready');
    assert.equal(engine.state.device, 'cpu,cpu');
    assert.deepEqual(
      engine.state.costs.map(({ rows }) => rows),
      [2, 4, 8, 16],
    );
    const parameters = tinyParameters({ t_index_list: [32] });
    const streams = [];
    for (let i = 0; i < 4; i++) streams.push(await RecordedStream.open(engine, parameters));
    for (const { stream } of streams) {
      const { width, height, data } = testImage(1, parameters);
      const own = engine.allocate(data.length);
      own.set(data);
      stream.push(0, { image: { width, height, data: own } }, { replace: false });
    }
    for (const stream of streams) {
      await stream.until(() => stream.answered === 1);
      assert.deepEqual(stream.results.get(0), streams[0].results.get(0));
      assert.deepEqual(await stream.stream.configure({ ...parameters, prompt: 'bronze' }), { from: 1 });
      stream.stream.close();
    }
    await engine[Symbol.asyncDispose]();
    assert.equal(engine.state.name, 'stopped');
    await assert.rejects(RecordedStream.open(engine, parameters), /stopped/);
  });

  it('continue without one that dies, which is reported and restarted', async () => {
    const { states, observer, ...options } = startOptions(['cpu', 'cpu']);
    let restarts = 0;
    await using engine = createEngines({
      ...options,
      observer: { ...observer, onRestart: () => (restarts += 1) },
      workerFile: new URL('crashing-worker.js', import.meta.url),
    });
    await engine.start();
    const parameters = tinyParameters({ t_index_list: [32] });
    const struck = await RecordedStream.open(engine, parameters);
    const others = [];
    for (let i = 0; i < 3; i++) others.push(await RecordedStream.open(engine, parameters));
    struck.stream.push(13, { image: testImage(13, parameters) }, { replace: false });
    await struck.until(() => struck.restarts === 1);
    assert.equal(restarts, 1);
    assert.equal(engine.state.name, 'ready');
    const spared = others.find((stream) => stream.restarts === 0);
    assert.ok(spared);
    spared.stream.push(1, { image: testImage(1, parameters) }, { replace: false });
    await spared.until(() => spared.answered === 1);
    assert.equal(spared.restarts, 0);
    assert.ok(states.every(({ name }) => name === 'starting' || name === 'ready'));
  });

  it('fail together if one of the devices does not work', async () => {
    const { states, ...options } = startOptions(['cpu', 'dml:1']);
    await using engine = createEngines(options);
    if (process.platform === 'win32') return;
    await assert.rejects(engine.start(), /^Error: device dml:1: onnxruntime-node .* has no dml on/);
    assert.equal(engine.state.name, 'failed');
    assert.equal(states.at(-1)?.name, 'failed');
  });

  it('are refused if there is no such device', () => {
    assert.throws(() => createEngines(startOptions(['cpu', 'gpu'])), DeviceError);
    assert.throws(() => createEngines(startOptions([])), DeviceError);
  });
});
