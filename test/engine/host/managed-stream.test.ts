import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { defaultParameters } from '@millrace/protocol';
import type { StreamListener } from '../../../src/engine/engine.js';
import { ManagedStream } from '../../../src/engine/host/managed-stream.js';
import type { ToWorker } from '../../../src/engine/messages.js';

const parameters = { ...defaultParameters(), width: 2, height: 1 };
const state = { ordinal: 3, frames: [] };
const timings = { queueMs: 1, vaeEncodeMs: 2, denoiseMs: 3, vaeDecodeMs: 4 };

/** A stream whose worker is the test, and what it tells. */
function setUp(initial: typeof state | null = null, account: string | null = null) {
  const posted: ToWorker[] = [];
  const transferred: ArrayBuffer[] = [];
  const told: string[] = [];
  let used: () => void = () => {};
  const listener: StreamListener = {
    onAdmitted: (frame) => void told.push(`admitted ${frame}`),
    onDropped: (frame, reason) => void told.push(`dropped ${frame} ${reason}`),
    onResult: async (frame, { data }) => {
      told.push(`result ${frame} ${data.join()}`);
      await new Promise<void>((resolve) => (used = resolve));
    },
    onRestart: () => void told.push('restart'),
    onClosed: (reason) => void told.push(`closed: ${reason.message}`),
  };
  const stream = new ManagedStream(5, { parameters, state: initial, account }, listener, {
    post(message, transfer = []) {
      posted.push(message);
      transferred.push(...transfer);
    },
    onClose: () => void told.push('end'),
  });
  const release = async (): Promise<void> => {
    used();
    await turn();
  };
  const opened = (): void => void stream.receive({ type: 'opened', stream: 5 });
  return { stream, posted, transferred, told, release, opened };
}

function image(): { width: number; height: number; data: Uint8Array<ArrayBuffer> } {
  return { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
}

describe('a stream that is being opened', () => {
  it('asks for its parameters and its state, and later for the state no more', async () => {
    const { stream, posted, opened } = setUp(state, 'a tenant');
    stream.open();
    opened();
    await stream.opened;
    stream.interrupt(new Error('gone'));
    stream.open();
    assert.deepEqual(posted, [
      { type: 'open', stream: 5, parameters, state, account: 'a tenant' },
      { type: 'open', stream: 5, parameters, state: null, account: 'a tenant' },
    ]);
  });

  it('takes no frame yet, which it tells after the call', async () => {
    const { stream, posted, told } = setUp();
    stream.push(7, image(), { replace: true });
    assert.deepEqual(told, []);
    await turn();
    assert.deepEqual([told, posted], [['dropped 7 stale'], []]);
  });

  it('waits for the next worker if the first one dies', () => {
    const { stream, told } = setUp();
    stream.interrupt(new Error('gone'));
    assert.deepEqual(told, []);
  });

  it('ends if it is refused', async () => {
    const { stream, told } = setUp();
    stream.receive({ type: 'rejected', stream: 5, request: null, field: 'width', message: 'no' });
    await assert.rejects(stream.opened, { name: 'ParameterError', field: 'width', message: 'no' });
    assert.deepEqual(told, ['end']);
    assert.equal(stream.receive({ type: 'admitted', stream: 5, frame: 1 }), false);
  });
});

describe('a stream that is open', () => {
  it('hands frames over with their pixels, or as a start from noise', () => {
    const { stream, posted, transferred, opened } = setUp();
    opened();
    const given = image();
    stream.push(1, given, { replace: true, preparedMs: 7 });
    stream.push(2, null, { replace: false });
    const frame = { type: 'frame', stream: 5, width: 2, height: 1 } as const;
    assert.deepEqual(posted, [
      { ...frame, frame: 1, replace: true, preparedMs: 7, pixels: given.data.buffer },
      { ...frame, frame: 2, replace: false, preparedMs: 0, pixels: null },
    ]);
    assert.deepEqual(transferred, [given.data.buffer]);
  });

  it('tells what becomes of frames, and gives pixels back when they were used', async () => {
    const { stream, posted, transferred, told, release, opened } = setUp();
    opened();
    const pixels = image().data.buffer;
    const about = { stream: 5, frame: 1 } as const;
    assert.equal(stream.receive({ type: 'admitted', ...about }), true);
    stream.receive({ type: 'dropped', ...about, reason: 'similar' });
    stream.receive({ type: 'result', ...about, width: 2, height: 1, pixels, timings });
    assert.deepEqual(told, ['admitted 1', 'dropped 1 similar', 'result 1 1,2,3,4,5,6']);
    assert.deepEqual(posted, []);
    await release();
    assert.deepEqual(posted, [{ type: 'recycle', pixels }]);
    assert.deepEqual(transferred, [pixels]);
  });

  it('has changes confirmed or refused, each by its number', async () => {
    const { stream, posted, opened } = setUp();
    opened();
    const changed = { ...parameters, prompt: 'other' };
    const [first, second] = [stream.configure(changed), stream.configure({ ...changed, width: 3 })];
    assert.deepEqual(posted, [
      { type: 'configure', stream: 5, request: 0, parameters: changed },
      { type: 'configure', stream: 5, request: 1, parameters: { ...changed, width: 3 } },
    ]);
    stream.receive({ type: 'rejected', stream: 5, request: 1, field: 'width', message: 'no' });
    stream.receive({ type: 'configured', stream: 5, request: 0, from: 9 });
    assert.deepEqual(await first, { from: 9 });
    await assert.rejects(second, { field: 'width' });
    stream.interrupt(new Error('gone'));
    stream.open();
    assert.deepEqual(posted.at(-1), {
      type: 'open',
      stream: 5,
      parameters: changed,
      state: null,
      account: null,
    });
  });

  it('gives snapshots', async () => {
    const { stream, posted, opened } = setUp();
    opened();
    void stream.configure(parameters);
    const snapshot = stream.snapshot();
    assert.deepEqual(posted.at(-1), { type: 'snapshot', stream: 5, request: 1 });
    stream.receive({ type: 'snapshotted', stream: 5, request: 1, state });
    assert.equal(await snapshot, state);
  });
});

describe('a stream whose worker died', () => {
  it('tells it, refuses what was asked, and goes on with the next', async () => {
    const { stream, posted, told, opened } = setUp();
    opened();
    const asked = [stream.configure(parameters), stream.snapshot()];
    stream.interrupt(new Error('gone'));
    for (const answer of asked) await assert.rejects(answer, /gone/);
    assert.deepEqual(told, ['restart']);
    await assert.rejects(stream.configure(parameters), /being restarted/);
    await assert.rejects(stream.snapshot(), /being restarted/);
    stream.push(1, image(), { replace: true });
    await turn();
    assert.deepEqual(told, ['restart', 'dropped 1 stale']);
    opened();
    stream.push(2, image(), { replace: true });
    assert.equal(posted.at(-1)?.type, 'frame');
  });
});

describe('a stream that is closed', () => {
  it('tells the worker, once, and wants nothing any more', async () => {
    const { stream, posted, told, opened } = setUp();
    opened();
    const asked = stream.snapshot();
    stream.close();
    stream.close();
    await assert.rejects(asked, /the stream is closed/);
    assert.deepEqual(posted.slice(1), [{ type: 'close', stream: 5 }]);
    assert.deepEqual(told, ['end']);
    stream.interrupt(new Error('gone'));
    stream.abort(new Error('gone'));
    stream.push(1, image(), { replace: true });
    await turn();
    assert.deepEqual(told, ['end']);
    await assert.rejects(stream.configure(parameters), /the stream is closed/);
    await assert.rejects(stream.snapshot(), /the stream is closed/);
  });

  it('says why if the engine is gone', async () => {
    const { stream, posted, told } = setUp();
    stream.abort(new Error('gone'));
    stream.abort(new Error('again'));
    await assert.rejects(stream.opened, /gone/);
    assert.deepEqual([posted, told], [[], ['end', 'closed: gone']]);
  });
});
