import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  defaultParameters,
  parameterNames,
  parameterProperties,
  type StreamParameters,
} from '@millrace/protocol';
import { EngineFeed } from '../../../src/session/frames/engine-feed.js';
import { FrameLedger } from '../../../src/session/frames/frame-ledger.js';
import { otherUpdates } from '../../support/parameters.js';
import { stubStream } from '../../support/stub-stream.js';

const parameters = defaultParameters();
const state = { ordinal: 3, frames: [] };

/** Returns a feed into a stream that records its calls. */
function setUp() {
  const calls: unknown[] = [];
  const failure: { next: Error | null } = { next: null };
  const stream = stubStream({
    push: (...frame) => void calls.push(frame),
    async configure(changed) {
      await Promise.resolve();
      if (failure.next) throw failure.next;
      calls.push(changed);
      return { from: 7 };
    },
    snapshot: () => Promise.resolve(state),
    close: () => void calls.push('close'),
  });
  const feed = new EngineFeed();
  return { feed, stream, calls, failure };
}

const never = (): never => assert.fail('frames of this shape may be under way');

it('without a stream a feed takes no frames and has no parameters', async () => {
  const { feed, stream, calls } = setUp();
  assert.deepEqual([feed.parameters, feed.running], [null, false]);
  await assert.rejects(feed.snapshot(), { message: 'there is no stream' });
  await assert.rejects(feed.configure(parameters, never), { message: 'configured before it was attached' });
  feed.attach(stream, parameters);
  assert.deepEqual([feed.parameters, feed.running], [parameters, true]);
  assert.equal(await feed.snapshot(), state);
  feed.close();
  feed.close();
  assert.deepEqual([feed.parameters, feed.running, calls], [null, false, ['close']]);
  feed.push(new FrameLedger(1).create(0), { image: null });
  assert.deepEqual(calls, ['close']);
});

it('a pushed frame belongs to the engine, and replaces the one waiting there', () => {
  const { feed, stream, calls } = setUp();
  feed.attach(stream, parameters);
  const frame = new FrameLedger(1).create(0);
  const input = { image: { width: 1, height: 1, data: new Uint8Array(3) }, preparedMs: 5 };
  feed.push(frame, input);
  assert.equal(frame.place, 'engine');
  assert.deepEqual(calls, [[-1, input, { replace: true }]]);
});

it('only parameters that apply to the input make a change wait for frames under way', async () => {
  const waiting: string[] = [];
  for (const name of parameterNames) {
    const { feed, stream } = setUp();
    feed.attach(stream, parameters);
    const [update] = otherUpdates(name, parameters[name]);
    await feed.configure({ ...parameters, ...update }, () => {
      waiting.push(name);
      return Promise.resolve();
    });
  }
  const applying = parameterNames.filter((name) => parameterProperties[name]['x-applies'].includes('input'));
  assert.deepEqual(waiting, applying);
  assert.deepEqual(applying, ['width', 'height', 'fit']);
});

it('a change that keeps the shape of frames takes effect immediately, and returns its first frame', async () => {
  const { feed, stream, calls } = setUp();
  feed.attach(stream, parameters);
  const changed = { ...parameters, steps: 2 };
  const from = feed.configure(changed, never);
  assert.deepEqual([feed.parameters, feed.running], [parameters, true]);
  assert.equal(await from, 7);
  assert.deepEqual([calls, feed.parameters, feed.running], [[changed], changed, true]);
  await feed.configure({ ...changed, paused: true }, never);
  assert.equal(feed.running, false);
});

for (const [name, value] of [
  ['width', 128],
  ['height', 128],
  ['fit', 'contain'],
] as const) {
  it(`a change of the ${name} waits until no frame is under way, and admits no other until then`, async () => {
    const { feed, stream, calls } = setUp();
    feed.attach(stream, parameters);
    const changed: StreamParameters = { ...parameters, [name]: value };
    let empty: () => void = () => {};
    const done = feed.configure(changed, () => new Promise((resolve) => (empty = resolve)));
    await new Promise(setImmediate);
    assert.deepEqual([calls, feed.running], [[], false]);
    empty();
    assert.equal(await done, 7);
    assert.deepEqual([calls, feed.parameters, feed.running], [[changed], changed, true]);
  });
}

it('a refused change leaves everything unchanged', async () => {
  const { feed, stream, failure } = setUp();
  feed.attach(stream, parameters);
  failure.next = new Error('not with this model');
  await assert.rejects(
    feed.configure({ ...parameters, width: 128 }, () => Promise.resolve()),
    failure.next,
  );
  assert.deepEqual([feed.parameters, feed.running], [parameters, true]);
});
