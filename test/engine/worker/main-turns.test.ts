import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ToWorker } from '../../../src/engine/messages.js';
import { keptCosts, tinyParameters } from '../../support/engine.js';
import type { Steps } from './stepping-worker.js';
import { WorkerThread } from './worker-thread.js';

const file = new URL('stepping-worker.js', import.meta.url);
/** A call holds one row, which is expected to take 0.01 ms. */
const kept = await keptCosts(1);
const parameters = tinyParameters({ t_index_list: [32] });
const size = { width: parameters.width, height: parameters.height };

/** Starts a thread and opens this many streams. */
async function start(streams: number, steps: Steps): Promise<WorkerThread> {
  const thread = new WorkerThread(file, kept, { steps });
  await thread.when('ready');
  const opens = Array.from({ length: streams }, (_, stream): ToWorker => ({
    type: 'ask',
    stream,
    request: 0,
    question: 'open',
    argument: { parameters, state: null, account: null },
  }));
  thread.worker.postMessage(opens);
  await thread.when('open', streams - 1);
  return thread;
}

function frames(stream: number, count: number, decodeMs?: number): readonly ToWorker[] {
  return Array.from({ length: count }, (_, frame) => ({
    type: 'frame',
    stream,
    frame,
    replace: false,
    ...size,
    input: { image: null, ...(decodeMs !== undefined && { decodeMs }) },
  }));
}

function change(stream: number): ToWorker {
  return { type: 'ask', stream, request: 1, question: 'configure', argument: parameters };
}

describe('waiting changes', () => {
  it('are made one at a time, and more for as long as the last frame took', async () => {
    const thread = await start(13, { inference: 4, configure: 0.5 });
    const from = thread.said.length;
    const changes = Array.from({ length: 12 }, (_, stream) => change(stream));
    thread.worker.postMessage([...frames(12, 4), ...changes]);
    await thread.when('result', 3);
    const said = thread.brief(from, 'configure', 'result');
    const configured = (first: number, last: number): readonly string[] =>
      Array.from({ length: last - first + 1 }, (_, i) => `configure ${first + i}`);
    assert.deepEqual(said, [
      ...configured(0, 0),
      'result 12',
      ...configured(1, 8),
      'result 12',
      ...configured(9, 11),
      'result 12',
      'result 12',
    ]);
    thread.worker.postMessage([{ type: 'stop' }]);
    await thread.ended;
  });
});

describe('the share of a stream', () => {
  async function order(steps: Steps, messages: readonly ToWorker[], results: number): Promise<string> {
    const thread = await start(2, steps);
    thread.worker.postMessage(messages);
    await thread.when('result', results - 1);
    thread.worker.postMessage([{ type: 'stop' }]);
    await thread.ended;
    return thread
      .of('result')
      .map(({ stream }) => stream)
      .join('');
  }

  it('is every other turn beside one other stream', async () => {
    assert.match(await order({}, [...frames(0, 6), ...frames(1, 6)], 12), /^(?:01|10){6}$/);
  });

  it('is also used up by decoding its pictures', async () => {
    // As long as ten rows.
    assert.equal(await order({}, [...frames(0, 6, 0.1), ...frames(1, 6)], 12), '111111000000');
  });

  it('is also used up by its changes', async () => {
    // As long as two rows.
    const messages = [change(0), ...frames(0, 6), ...frames(1, 6)];
    assert.equal(await order({ configure: 0.02 }, messages, 12), '110101010100');
  });
});
