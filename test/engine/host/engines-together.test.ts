import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createEngines, engineSettings } from '../../../src/engine/host/engine-group.js';
import type { Engine, EngineState } from '../../../src/engine/engine.js';
import { defaultParameters } from '@millrace/protocol';
import { RecordedStream } from '../../support/engine.js';

const parameters = { ...defaultParameters(), width: 2, height: 1 };
const engines: Engine[] = [];
after(async () => {
  for (const engine of engines) await engine[Symbol.asyncDispose]();
});

/** Creates two engines, of which the second is twice as fast, and records their events. */
function setUp(more: readonly object[] = []) {
  const events: string[] = [];
  const opened = { type: 'answered', question: 'open', value: null };
  const ready = (device: string, ms: number, rowBudget: number): object => ({
    type: 'ready',
    only: device,
    device,
    // The slower one has kept its costs for longer.
    calibration: { at: `2026-01-0${10 - ms / 10}T00:00:00Z`, isKept: ms === 20 },
    costs: [1, 2].map((rows) => ({ rows, ms: ms * rows })),
    rowBudget,
    pictureMs: ms,
  });
  const begin = [ready('cuda:0', 20, 2), ready('cuda:1', 10, 3), ...more];
  const engine = createEngines({
    model: JSON.stringify({ begin, on: { open: [opened] } }),
    devices: ['cuda:0', 'cuda:1'],
    threads: 1,
    cacheDirectory: null,
    workerFile: new URL('scripted-worker.js', import.meta.url),
    observer: {
      onState: (state: EngineState) =>
        events.push(`${state.name} ${'device' in state ? state.device : ''}`.trim()),
      onNote: (note) => events.push(`note ${note}`),
      onEvent(event) {
        if (event.type === 'inference') events.push(`inference ${event.rows}`);
        else if (event.type === 'embedding') events.push(`embedding ${event.hit}`);
        else if (event.type === 'not_finite') events.push(`not finite ${event.part}`);
        else events.push('flagged');
      },
      onRestart: () => events.push('restart'),
      onHang: () => events.push('hang'),
    },
  });
  engines.push(engine);
  return { engine, events };
}

function readyState({ state }: Engine): Extract<EngineState, { name: 'ready' }> {
  assert.ok(state.name === 'ready');
  return state;
}

describe('engines together', () => {
  it('are ready with the total rows and the total rate', async () => {
    const { engine, events } = setUp();
    assert.deepEqual(engine.state, { name: 'starting', what: 'starting the inference threads' });
    await Promise.all([engine.start(), engine.start()]);
    const { device, calibration, costs, rowBudget, pictureMs } = readyState(engine);
    assert.deepEqual(calibration, { at: '2026-01-08T00:00:00Z', isKept: true }, 'the oldest');
    assert.deepEqual([device, rowBudget], ['cuda:0,cuda:1', 5]);
    // Two rows at a time: 1/20 and 1/10 of a call in a millisecond.
    assert.deepEqual(
      costs.map(({ rows, ms }) => [rows, Math.round(ms * 1e6) / 1e6]),
      [
        [2, 13.333333],
        [4, 26.666667],
      ],
    );
    assert.equal(Math.round(pictureMs * 1e6) / 1e6, 6.666667);
    assert.deepEqual(
      events.filter((line) => !line.startsWith('note')),
      ['starting', 'ready cuda:0,cuda:1'],
    );
  });

  it('open a stream where it is served soonest, until it ends there', async () => {
    const { engine, events } = setUp();
    const open = (): Promise<RecordedStream> => RecordedStream.open(engine, parameters);
    await engine.start();
    const where = (): number => events.filter((line) => line.includes('"open"')).length;
    assert.equal(where(), 0);
    const streams = [await open(), await open(), await open()];
    assert.equal(streams.length, 3);
    // The fast one has two of three: it dies at a frame of its first stream, which is the first of all.
    streams[0]?.stream.push(13, { image: null }, { replace: true });
    await streams[0]?.until(() => streams[0]?.restarts === 1);
    await streams[1]?.until(() => (streams[1]?.restarts ?? 0) + (streams[2]?.restarts ?? 0) > 0);
    assert.equal(streams.filter(({ restarts }) => restarts === 1).length, 2);
    assert.ok(events.includes('restart'));
  });

  it('no longer count a closed stream, even if it is closed twice', async () => {
    const { engine, events } = setUp();
    // It need not be ready.
    const open = (account: string): Promise<RecordedStream> =>
      RecordedStream.open(engine, parameters, { account });
    const first = await open('a');
    first.stream.close();
    first.stream.close();
    await open('b');
    await open('c');
    // Each engine numbers its own streams: the fast one takes two, then the other its first.
    const numberOf = (account: string): string | undefined =>
      events
        .filter((line) => line.includes(`"account":"${account}"`))
        .map((line) => /"stream":(\d)/.exec(line)?.[1])
        .join();
    while (['a', 'b', 'c'].some((account) => numberOf(account) === '')) await new Promise(setImmediate);
    assert.deepEqual(['a', 'b', 'c'].map(numberOf), ['0', '1', '0']);
  });

  it('share the memory of frames, which is kept for up to sixteen', async () => {
    const sizes = Array.from({ length: 17 }, (_, i) => i + 1);
    const { engine, events } = setUp([
      ...sizes.map((pixels) => ({ type: 'recycle', pixels, only: 'cuda:1' })),
      { type: 'note', text: 'done', only: 'cuda:1' },
    ]);
    await engine.start();
    while (!events.includes('note done')) await new Promise(setImmediate);
    assert.deepEqual(
      sizes.map((size) => engine.allocate(size)[0]),
      [0, ...Array<number>(16).fill(7)],
    );
  });

  it('report what each measures and finds, and each note once', async () => {
    const { engine, events } = setUp([
      { type: 'inference', rows: 3, streams: 1, ms: 1, pictureMs: 0, expectedMs: 1 },
      { type: 'embedding', hit: true },
      { type: 'not_finite', part: 'unet' },
      { type: 'note', text: 'the same' },
    ]);
    await engine.start();
    while (events.filter((line) => line === 'not finite unet').length < 2) await new Promise(setImmediate);
    while (!events.includes('note the same')) await new Promise(setImmediate);
    for (const line of ['inference 3', 'embedding true', 'not finite unet']) {
      assert.equal(events.filter((other) => other === line).length, 2, line);
    }
    assert.equal(events.filter((line) => line === 'note the same').length, 1);
  });
});

it('engine settings keep nothing if no folder is named', () => {
  const settings = {
    device: ['cpu'],
    threads: 3,
    precision: 'float',
    calibration: 'kept',
    safetyChecker: 'on',
    cacheDirectory: '/kept',
  } as const;
  const own = {
    devices: ['cpu'],
    threads: 3,
    precision: 'float',
    calibration: 'kept',
    safetyChecker: 'on',
    cacheDirectory: '/kept',
  };
  assert.deepEqual(engineSettings(settings), own);
  assert.deepEqual(engineSettings({ ...settings, cacheDirectory: '' }), { ...own, cacheDirectory: null });
});
