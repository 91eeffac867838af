import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { defaultParameters } from '@millrace/protocol';
import type { StreamListener } from '../../../src/engine/engine.js';
import { ManagedStream } from '../../../src/engine/host/managed-stream.js';
import type { Ask, Question, Questions, ToWorker } from '../../../src/engine/messages.js';

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
  const answer = <Q extends Question>(request: number, question: Q, value: Questions[Q]['value']): boolean =>
    stream.receive({ type: 'answered', stream: 5, request, question, value });
  const refuse = (request: number): boolean =>
    stream.receive({ type: 'refused', stream: 5, request, field: 'width', message: 'no' });
  /** Opens it in a worker; the question is not kept in `posted`. */
  const opened = (): void => {
    stream.open();
    answer((posted.pop() as Ask).request, 'open', null);
  };
  return { stream, posted, transferred, events, release, answer, refuse, opened };
}

function image(): { width: number; height: number; data: Uint8Array<ArrayBuffer> } {
  return { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) };
}

describe('a stream that is being opened', () => {
  it('sends its parameters and its state, the state only once', async () => {
    const { stream, posted, answer } = setUp(state, 'a tenant');
    stream.open();
    answer(0, 'open', null);
    await stream.opened;
    stream.interrupt(new Error('gone'));
    stream.open();
    const start = { parameters, state, account: 'a tenant' };
    assert.deepEqual(posted, [
      { type: 'ask', stream: 5, request: 0, question: 'open', argument: start },
      { type: 'ask', stream: 5, request: 1, question: 'open', argument: { ...start, state: null } },
    ]);
  });

  it('takes no frame yet, and reports that after the call', async () => {
    const { stream, posted, events } = setUp();
    stream.push(7, { image: image() }, { replace: true });
    assert.deepEqual(events, []);
    await turn();
    assert.deepEqual([events, posted], [['dropped 7 stale'], []]);
  });

  it('waits for the next worker if the first one dies', async () => {
    const { stream, posted, events, opened } = setUp(state);
    stream.interrupt(new Error('gone'));
    stream.open();
    stream.interrupt(new Error('gone'));
    await turn();
    assert.deepEqual(events, []);
    opened();
    await stream.opened;
    const start = { parameters, state, account: null };
    assert.deepEqual(posted, [{ type: 'ask', stream: 5, request: 0, question: 'open', argument: start }]);
  });

  it('ends if it is refused', async () => {
    const { stream, events, refuse } = setUp();
    stream.open();
    refuse(0);
    await assert.rejects(stream.opened, { name: 'ParameterError', field: 'width', message: 'no' });
    assert.deepEqual(events, ['end']);
    assert.equal(stream.receive({ type: 'admitted', stream: 5, frame: 1 }), false);
  });
});

describe('a stream that is open', () => {
  it('reports its end if the next worker refuses what the former one accepted', async () => {
    const { stream, posted, events, refuse, opened } = setUp();
    opened();
    stream.interrupt(new Error('gone'));
    stream.open();
    refuse((posted.pop() as Ask).request);
    await turn();
    assert.deepEqual(events, ['restart', 'end', 'closed: no']);
  });

  it('sends frames with their pictures, or as a start from noise', () => {
    const { stream, posted, transferred, opened } = setUp();
    opened();
    const input = { image: image(), decodeMs: 7 };
    stream.push(1, input, { replace: true });
    stream.push(2, { image: null }, { replace: false });
    const frame = { type: 'frame', stream: 5, width: 2, height: 1 } as const;
    assert.deepEqual(posted, [
      { ...frame, frame: 1, replace: true, input },
      { ...frame, frame: 2, replace: false, input: { image: null } },
    ]);
    assert.deepEqual(transferred, [input.image.data.buffer]);
  });

  it('hands over the memory of each picture of a frame', () => {
    const { stream, transferred, opened } = setUp();
    opened();
    const input = { image: image(), another: image() };
    stream.push(1, input, { replace: true });
    assert.deepEqual(transferred, [input.image.data.buffer, input.another.data.buffer]);
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
    const { stream, posted, answer, refuse, opened } = setUp();
    opened();
    const changed = { ...parameters, prompt: 'other' };
    const [first, second] = [stream.configure(changed), stream.configure({ ...changed, width: 3 })];
    assert.deepEqual(posted, [
      { type: 'ask', stream: 5, request: 1, question: 'configure', argument: changed },
      { type: 'ask', stream: 5, request: 2, question: 'configure', argument: { ...changed, width: 3 } },
    ]);
    refuse(2);
    answer(1, 'configure', { from: 9 });
    assert.deepEqual(await first, { from: 9 });
    await assert.rejects(second, { field: 'width' });
    assert.equal(answer(7, 'configure', { from: 9 }), true, 'nobody asked');
    stream.interrupt(new Error('gone'));
    stream.open();
    const start = { parameters: changed, state: null, account: null };
    assert.deepEqual(posted.at(-1), {
      type: 'ask',
      stream: 5,
      request: 3,
      question: 'open',
      argument: start,
    });
  });

  it('keeps confirmed parameters even if its worker dies right after the answer', () => {
    const { stream, posted, answer, opened } = setUp();
    opened();
    const changed = { ...parameters, prompt: 'other' };
    void stream.configure(changed);
    void stream.configure({ ...changed, prompt: 'pending' });
    answer(1, 'configure', { from: 9 });
    stream.interrupt(new Error('gone'));
    stream.open();
    assert.deepEqual((posted.at(-1) as Ask<'open'>).argument.parameters, changed);
  });

  it('returns snapshots', async () => {
    const { stream, posted, answer, opened } = setUp();
    opened();
    void stream.configure(parameters);
    const snapshot = stream.snapshot();
    const asked = { type: 'ask', stream: 5, request: 2, question: 'snapshot', argument: null };
    assert.deepEqual(posted.at(-1), asked);
    answer(2, 'snapshot', state);
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
    stream.push(1, { image: image() }, { replace: true });
    await turn();
    assert.deepEqual(events, ['restart', 'dropped 1 stale']);
    opened();
    stream.push(2, { image: image() }, { replace: true });
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
    stream.push(1, { image: image() }, { replace: true });
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
