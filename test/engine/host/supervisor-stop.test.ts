import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { open, opens, ready, setUp } from './supervisor-rig.js';

describe('an engine that is stopped', () => {
  it('waits for its worker and opens no more streams', async () => {
    const { engine, told } = setUp({ ...opens });
    const recorded = await open(engine);
    await engine[Symbol.asyncDispose]();
    await engine[Symbol.asyncDispose]();
    assert.match(String(recorded.closed), /the engine is stopped/);
    assert.deepEqual(
      told.filter((line) => !line.startsWith('note')),
      ['starting starting the inference thread', 'ready', 'stopped'],
    );
    await assert.rejects(open(engine), /the engine is stopped/);
  });

  for (const [begin, stopTimeoutMs, timeoutMs] of [
    [[ready], undefined, 30_000],
    [[ready], 700, 700],
    [[{ type: 'starting', what: 'loading' }], undefined, 1200],
    [[{ type: 'starting', what: 'loading' }], 700, 700],
  ] as const) {
    it(`abandons a worker that does not end after ${timeoutMs} ms`, async () => {
      mock.timers.enable({ apis: ['setTimeout'] });
      const { engine, told, until } = setUp(
        { begin, deaf: true },
        { ...(stopTimeoutMs && { stopTimeoutMs }) },
      );
      engine.start().catch(() => {});
      await until(begin[0].type === 'ready' ? 'ready' : 'starting loading');
      const stopped = engine[Symbol.asyncDispose]();
      await new Promise(setImmediate);
      mock.timers.tick(timeoutMs - 1);
      await new Promise(setImmediate);
      assert.ok(!told.includes('hang'));
      mock.timers.tick(1);
      await stopped;
      assert.equal(told.filter((line) => line === 'hang').length, 1);
      assert.equal(engine.state.name, 'stopped');
    });
  }

  it('ignores results that arrive while it stops', async () => {
    const timings = { queue: 1, encode: 2, denoise: 3, decode: 4 };
    const result = { type: 'result', stream: 0, frame: 1, width: 2, height: 1, pixels: 6, timings };
    const { engine, told, until } = setUp({
      ...opens,
      on: { ...opens.on, stop: [result, { type: 'note', text: 'stopping' }] },
    });
    const recorded = await open(engine);
    await Promise.all([engine[Symbol.asyncDispose](), until('note stopping')]);
    assert.equal(recorded.answered, 0);
    assert.ok(!told.some((line) => line.includes('recycle')));
  });

  it('is not started again by a pending restart', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const { engine, told } = setUp({ ...opens });
    const recorded = await open(engine);
    recorded.stream.push(13, { image: null }, { replace: true });
    await recorded.until(() => recorded.restarts === 1);
    await engine[Symbol.asyncDispose]();
    mock.timers.tick(1e6);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(told.at(-1), 'stopped');
    assert.equal(engine.state.name, 'stopped');
  });
});
