import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createEngines } from '../../src/engine/engine-group.js';
import { DeviceError } from '../../src/engine/device.js';
import type { EngineState } from '../../src/engine/engine.js';
import { RecordedStream, testImage, tinyModel, tinyParameters } from '../support/engine.js';

function startOptions(devices: readonly string[]): Parameters<typeof createEngines>[0] & {
  readonly states: EngineState[];
  readonly calls: number[];
} {
  const states: EngineState[] = [];
  const calls: number[] = [];
  const observer = {
    onState: (state: EngineState) => states.push(state),
    onNote: () => {},
    onInference: ({ rows }: { rows: number }) => calls.push(rows),
    onEmbedding: () => {},
  };
  return { model: tinyModel, devices, threads: 1, cacheDirectory: null, observer, states, calls };
}

describe('engines on several devices', () => {
  it('are one engine to the rest: ready together, streams spread, results as from one', async () => {
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
      stream.push(0, { width, height, data: own }, { replace: false });
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

  it('fail together where one of the devices does not work', async () => {
    const { states, ...options } = startOptions(['cpu', 'dml:1']);
    await using engine = createEngines(options);
    if (process.platform === 'win32') return;
    await assert.rejects(engine.start(), /^Error: device dml:1: onnxruntime-node .* has no dml on/);
    assert.equal(engine.state.name, 'failed');
    assert.equal(states.at(-1)?.name, 'failed');
  });

  it('are refused where there is no such device', () => {
    assert.throws(() => createEngines(startOptions(['cpu', 'gpu'])), DeviceError);
    assert.throws(() => createEngines(startOptions([])), DeviceError);
  });
});
