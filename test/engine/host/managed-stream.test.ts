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

/** Creates a stream whose worker is the test, and records its events. */
function setUp(initial: typeof state | null = null, account: string | null = null) {
  const posted: ToWorker[] = [];
  const transferred: ArrayBuffer[] = [];
  const events: string[] = [];
  let used: () => void = () => {};
  const listener: StreamListener = {
    onAdmitted: (frame) => void events.push(`admitted ${frame}`),
    onDropped: (frame, reason) => void events.push(`dropped ${frame} ${reason}`),
    onResult: async (frame, { data }) => {
      events.push(`result ${frame} ${data.join()}`);
      await new Promise<void>((resolve) => (used = resolve));
    },
    onRestart: () => void events.push('restart'),
    onClosed: (reason) => void events.push(`closed: ${reason.message}`),
  };
  const stream = new ManagedStream(5, { parameters, state: initial, account }, listener, {
    post(message, transfer = []) {
      posted.push(message);
      transferred.push(...transfer);
    },
    onClose: () => void events.push('end'),
  });
  const release = async (): Promise<void> => {
    used();
    await turn();
  };
  const opened = (): void => void stream.receive({ type: 'opened', stream: 5 });
  return { stream, posted, transferred, events, release, opened };
}

function image(): { width: number; height: number; data: Uint8Array<ArrayBuffer> } {
  return { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
}

describe('a stream that is being opened', () => {
  it('sends its parameters and its state, the state only once', async () => {
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

  it('takes no frame yet, and reports that after the call', async () => {
    const { stream, posted, events } = setUp();
    stream.push(7, image(), { replace: true });
    assert.deepEqual(events, []);
    await turn();
    assert.deepEqual([events, posted], [['dropped 7 stale'], []]);
  });

  it('waits for the next worker if the first one dies', () => {
    const { stream, events } = setUp();
    stream.interrupt(new Error('gone'));
    assert.deepEqual(events, []);
  });

  it('ends if it is refused', async () => {
    const { stream, events } = setUp();
    stream.receive({ type: 'rejected', stream: 5, request: null, field: 'width', message: 'no' });
    await assert.rejects(stream.opened, { name: 'ParameterError', field: 'width', message: 'no' });
    assert.deepEqual(events, ['end']);
    assert.equal(stream.receive({ type: 'admitted', stream: 5, frame: 1 }), false);
  });
});

describe('a stream that is open', () => {
  it('sends frames with their pixels, or as a start from noise', () => {
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

  it('reports what becomes of frames, and returns pixels after their use', async () => {
    const { stream, posted, transferred, events, release, opened } = setUp();
    opened();
    const pixels = image().data.buffer;
    const about = { stream: 5, frame: 1 } as const;
    assert.equal(stream.receive({ type: 'admitted', ...about }), true);
    stream.receive({ type: 'dropped', ...about, reason: 'similar' });
    stream.receive({ type: 'result', ...about, width: 2, height: 1, pixels, timings });
    assert.deepEqual(events, ['admitted 1', 'dropped 1 similar', 'result 1 1,2,3,4,5,6']);
    assert.deepEqual(posted, []);
    await release();
    assert.deepEqual(posted, [{ type: 'recycle', pixels }]);
    assert.deepEqual(transferred, [pixels]);
  });

  it('gets changes confirmed or refused, each by its number', async () => {
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
    assert.equal(
      stream.receive({ type: 'configured', stream: 5, request: 7, from: 9 }),
      true,
      'nobody asked',
    );
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

  it('returns snapshots', async () => {
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
  it('reports it, rejects pending requests, and continues with the next worker', async () => {
    const { stream, posted, events, opened } = setUp();
    opened();
    const pending = [stream.configure(parameters), stream.snapshot()];
    stream.interrupt(new Error('gone'));
    for (const answer of pending) await assert.rejects(answer, /gone/);
    assert.deepEqual(events, ['restart']);
    await assert.rejects(stream.configure(parameters), /being restarted/);
    await assert.rejects(stream.snapshot(), /being restarted/);
    stream.push(1, image(), { replace: true });
    await turn();
    assert.deepEqual(events, ['restart', 'dropped 1 stale']);
    opened();
    stream.push(2, image(), { replace: true });
    assert.equal(posted.at(-1)?.type, 'frame');
  });
});

describe('a stream that is closed', () => {
  it('notifies the worker once, and ignores everything after that', async () => {
    const { stream, posted, events, opened } = setUp();
    opened();
    const pending = stream.snapshot();
    stream.close();
    stream.close();
    await assert.rejects(pending, /the stream is closed/);
    assert.deepEqual(posted.slice(1), [{ type: 'close', stream: 5 }]);
    assert.deepEqual(events, ['end']);
    stream.interrupt(new Error('gone'));
    stream.abort(new Error('gone'));
    stream.push(1, image(), { replace: true });
    await turn();
    assert.deepEqual(events, ['end']);
    await assert.rejects(stream.configure(parameters), /the stream is closed/);
    await assert.rejects(stream.snapshot(), /the stream is closed/);
  });

  it('gives the reason if the engine is gone', async () => {
    const { stream, posted, events } = setUp();
    stream.abort(new Error('gone'));
    stream.abort(new Error('again'));
    await assert.rejects(stream.opened, /gone/);
    assert.deepEqual([posted, events], [[], ['end', 'closed: gone']]);
  });
});
