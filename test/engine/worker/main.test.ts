import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import type { StreamState } from '../../../src/engine/engine.js';
import type { ToWorker } from '../../../src/engine/messages.js';
import { keptCosts, tinyModel, tinyParameters } from '../../support/engine.js';
import { eventually } from '../../support/eventually.js';
import { WorkerThread } from './worker-thread.js';

const file = new URL('../../../src/engine/worker/main.js', import.meta.url);
const kept = await keptCosts();
const parameters = tinyParameters({ t_index_list: [32] });
const size = { width: parameters.width, height: parameters.height };

function open(
  stream: number,
  changes: Partial<StreamParameters> = {},
  state: StreamState | null = null,
): ToWorker {
  const start = { parameters: { ...parameters, ...changes }, state, account: null };
  return { type: 'ask', stream, request: 0, question: 'open', argument: start };
}

function configure(stream: number, request: number, changes: Partial<StreamParameters> = {}): ToWorker {
  return { type: 'ask', stream, request, question: 'configure', argument: { ...parameters, ...changes } };
}

function snapshot(stream: number, request: number): ToWorker {
  return { type: 'ask', stream, request, question: 'snapshot', argument: null };
}

function frameOf(stream: number, number: number, pixels: ArrayBuffer | null = null): ToWorker {
  const image = pixels && { ...size, data: new Uint8Array(pixels) };
  return { type: 'frame', stream, frame: number, replace: true, ...size, input: { image } };
}

async function start(): Promise<WorkerThread> {
  const thread = new WorkerThread(file, kept);
  await thread.when('ready');
  return thread;
}

describe('the thread of an engine', () => {
  it('reports the progress of its start, its measurements, and that it has stopped', async () => {
    const thread = await start();
    const costs = [1, 2, 4, 8].map((rows) => ({ rows, ms: 0.01 + rows / 10_000 }));
    const [ready] = thread.of('ready');
    assert.deepEqual(ready, {
      type: 'ready',
      device: 'cpu',
      calibration: { at: ready?.calibration.at, isKept: true },
      costs,
      rowBudget: 8,
      pictureMs: 0.01,
      pictureCosts: costs,
    });
    thread.send({ type: 'stop' });
    assert.equal(await thread.ended, 0);
    assert.deepEqual(
      thread.said.map((message) => ('what' in message ? message.what : message.type)),
      [
        'loading the text encoder',
        'loading the VAE encoder',
        'loading the U-Net',
        'loading the VAE decoder',
        'drawing a trial picture',
        'warming up',
        'ready',
        'stopped',
      ],
    );
  });

  it('reports nothing more if it is stopped before it is ready', async () => {
    const thread = new WorkerThread(file, kept);
    thread.send(open(0), { type: 'stop' });
    assert.equal(await thread.ended, 0);
    assert.deepEqual(thread.of('ready', 'failed', 'stopped'), []);
  });

  it('reports why it cannot start, and ends', async () => {
    const thread = new WorkerThread(file, { device: 'cpu:1' });
    assert.equal(await thread.ended, 0);
    const message = 'the device cpu takes no number; write cpu for cpu:1';
    assert.deepEqual(thread.said, [{ type: 'failed', message }]);
  });

  it('reports which device auto chose', async () => {
    const thread = new WorkerThread(file, { device: 'auto', model: `${tinyModel}/unet` });
    await thread.ended;
    assert.equal(thread.said.length, 1, 'the model comes first');
    await using other = new WorkerThread(file, { device: 'auto', ...kept });
    const note = await other.when('note');
    assert.match(note.text, /^running on /);
  });

  it('sleeps without work, and wakes for messages', async () => {
    await using thread = await start();
    const { performance } = thread.worker;
    thread.send(open(0));
    await thread.when('open');
    await eventually(async () => {
      const before = performance.eventLoopUtilization();
      await sleep(100);
      const { active, idle } = performance.eventLoopUtilization(before);
      assert.ok(active < idle, `${active} ms active, ${idle} ms idle`);
    });
    thread.send(frameOf(0, 1));
    await thread.when('result');
    assert.equal(thread.stderr, '');
  });
});

describe('streams in the thread', () => {
  it('are opened even if several come at once, and a refused one delays none', async () => {
    await using thread = await start();
    const wide = parameters.width + 1;
    thread.send(open(0), open(1, { width: wide }), frameOf(1, 0), configure(1, 1), snapshot(1, 2), open(2));
    await thread.when('open', 1);
    thread.send({ type: 'close', stream: 1 }, snapshot(2, 7));
    const { value, ...answer } = await thread.when('snapshot');
    assert.deepEqual(answer, { type: 'answered', stream: 2, request: 7, question: 'snapshot' });
    assert.deepEqual([value.ordinal, value.frames], [0, []]);
    const opened = { type: 'answered', request: 0, question: 'open', value: null } as const;
    assert.deepEqual(thread.of('open', 'refused', 'configure', 'admitted', 'dropped'), [
      { ...opened, stream: 0 },
      {
        type: 'refused',
        stream: 1,
        request: 0,
        field: 'width',
        message: `width must be a multiple of 8 for the model tiny-sd, not ${wide}`,
      },
      { ...opened, stream: 2 },
    ]);
  });

  it('continue where they were, and share cached prompts', async () => {
    await using thread = await start();
    const state = { ordinal: 5, frames: [] };
    thread.send(open(0), open(1, {}, state));
    await thread.when('open', 1);
    thread.send(snapshot(1, 1));
    assert.equal((await thread.when('snapshot')).value.ordinal, 5);
    assert.deepEqual(
      thread.of('embedding').map(({ hit }) => hit),
      [false, false, true, true],
    );
  });

  it('are changed, or get the reason why not and stay unchanged', async () => {
    await using thread = await start();
    thread.send(open(0), configure(0, 1, { height: 5 }), configure(0, 2, { seed: 9 }), frameOf(0, 4));
    await thread.when('result');
    thread.send(configure(0, 3, { seed: 3 }));
    await thread.when('configure', 1);
    const [refused] = thread.of('refused');
    assert.deepEqual([refused?.request, refused?.field], [1, 'height']);
    // Each affects the next frame.
    assert.deepEqual(
      thread.of('configure').map(({ request, value }) => [request, value.from]),
      [
        [2, 0],
        [3, 5],
      ],
    );
  });

  it('get results for their frames, whose memory is returned', async () => {
    await using thread = await start();
    const bytes = 3 * size.width * size.height;
    thread.send(open(0));
    await thread.when('open');
    const from = thread.said.length;
    thread.send(frameOf(0, 1, new ArrayBuffer(bytes)));
    const { pixels, timings, ...result } = await thread.when('result');
    assert.deepEqual(result, { type: 'result', stream: 0, frame: 1, ...size });
    assert.equal(pixels.byteLength, bytes);
    assert.ok(Object.values(timings).every((ms) => ms >= 0));
    const kinds = ['admitted', 'recycle', 'inference', 'result'] as const;
    assert.deepEqual(thread.brief(from, ...kinds), ['admitted 0', 'recycle', 'inference', 'result 0']);
    assert.equal(thread.of('recycle')[0]?.pixels.byteLength, bytes);
    const [{ rows, streams } = { rows: 0, streams: 0 }] = thread.of('inference');
    assert.deepEqual([rows, streams], [1, 1]);
  });

  it('drop frames of another size, and return their memory if they have any', async () => {
    await using thread = await start();
    thread.send(open(0));
    await thread.when('open');
    const wide = { width: 2 * size.width };
    thread.send({ ...frameOf(0, 1), ...wide });
    thread.send({ ...frameOf(0, 2, new ArrayBuffer(12)), ...wide });
    thread.send(frameOf(0, 3));
    await thread.when('result');
    assert.deepEqual(
      thread.of('dropped').map(({ frame: number, reason }) => [number, reason]),
      [
        [1, 'stale'],
        [2, 'stale'],
      ],
    );
    assert.deepEqual(
      thread.of('recycle').map(({ pixels }) => pixels.byteLength),
      [12],
    );
  });

  it('ignore messages once they are closed, and return the memory of waiting frames', async () => {
    await using thread = await start();
    thread.send(open(0), open(1));
    await thread.when('open', 1);
    const wait = (frame: number, pixels: ArrayBuffer | null): ToWorker => ({
      ...(frameOf(0, frame, pixels) as Extract<ToWorker, { type: 'frame' }>),
      replace: false,
    });
    const bytes = 3 * size.width * size.height;
    thread.send(
      wait(1, null),
      wait(2, new ArrayBuffer(bytes)),
      wait(3, null),
      { type: 'close', stream: 0 },
      frameOf(0, 4),
      snapshot(0, 1),
      configure(0, 2),
      snapshot(1, 1),
    );
    await thread.when('snapshot');
    assert.deepEqual(
      thread.of('snapshot', 'configure').map(({ stream }) => stream),
      [1],
    );
    assert.deepEqual(
      thread.of('recycle').map(({ pixels }) => pixels.byteLength),
      [bytes],
    );
    assert.ok(thread.of('admitted', 'dropped').every(({ frame }) => frame < 3));
  });
});
