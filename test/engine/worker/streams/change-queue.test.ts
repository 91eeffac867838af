import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import type { MessageToStream } from '../../../../src/engine/messages.js';
import { ChangeQueue } from '../../../../src/engine/worker/streams/change-queue.js';

const parameters = defaultParameters();

function configure(stream: number, request: number): MessageToStream {
  return { type: 'ask', stream, request, question: 'configure', argument: parameters };
}

function frame(stream: number, number: number): MessageToStream {
  const input = { image: null };
  return { type: 'frame', stream, frame: number, replace: true, width: 8, height: 8, input };
}

/** Takes from a queue a change and what came behind it, in order. */
function taken(queue: ChangeQueue): readonly string[] {
  const next = queue.take();
  if (next === null) return [];
  return [next.change, ...next.behind].map((message) =>
    message.type === 'ask' ? `${message.question} ${message.stream}` : `${message.type} ${message.stream}`,
  );
}

describe('ChangeQueue', () => {
  it('keeps a change and the later messages of its stream, in order', () => {
    const queue = new ChangeQueue();
    assert.equal(queue.put(frame(1, 0)), false, 'it need not wait');
    assert.equal(queue.put(configure(1, 0)), true);
    assert.equal(queue.put(frame(1, 1)), true);
    assert.equal(queue.put(configure(1, 1)), true);
    assert.equal(queue.put(frame(2, 0)), false, 'other streams are not affected');
    assert.deepEqual(taken(queue), ['configure 1', 'frame 1', 'configure 1']);
    assert.deepEqual(taken(queue), []);
  });

  it('gives each stream its turn, however many changes another has', () => {
    const queue = new ChangeQueue();
    for (let request = 0; request < 100; request++) queue.put(configure(1, request));
    const start = { parameters, state: null, account: null };
    queue.put({ type: 'ask', stream: 2, request: 0, question: 'open', argument: start });
    assert.equal(taken(queue)[0], 'configure 1');
    assert.equal(taken(queue)[0], 'open 2');
  });

  it('discards what waits for a closed stream', () => {
    const queue = new ChangeQueue();
    queue.put(configure(1, 0));
    queue.put(frame(1, 0));
    queue.put(configure(2, 0));
    queue.cancel(1);
    assert.deepEqual(taken(queue), ['configure 2']);
    assert.equal(queue.put(frame(1, 1)), false);
  });
});
