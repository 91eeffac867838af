import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  defaultParameters,
  parameterNames,
  parameterSchemas,
  type StreamParameters,
} from '@millrace/protocol';
import { EngineFeed } from '../../../src/session/frames/engine-feed.js';
import { otherUpdates } from '../../support/parameters.js';
import { stubStream } from '../../support/stub-stream.js';

const parameters = defaultParameters();
const state = { ordinal: 3, frames: [] };

const never = (): never => assert.fail('frames of this shape may be under way');

/** Returns a feed into a stream that records its calls. @param allAdmitted waits for frames on their way in. */
function setUp(allAdmitted: () => Promise<void> = never) {
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
  const feed = new EngineFeed({ allAdmitted });
  return { feed, stream, calls, failure };
}

it('without a stream a feed takes no frames and has no parameters', async () => {
  const { feed, stream, calls } = setUp();
  assert.deepEqual([feed.parameters, feed.running], [null, false]);
  await assert.rejects(feed.snapshot(), { message: 'there is no stream' });
  await assert.rejects(feed.configure(parameters), { message: 'configured before it was attached' });
  feed.attach(stream, parameters);
  assert.deepEqual([feed.parameters, feed.running], [parameters, true]);
  assert.equal(await feed.snapshot(), state);
  feed.close();
  feed.close();
  assert.deepEqual([feed.parameters, feed.running, calls], [null, false, ['close']]);
  feed.push(-1, { image: null });
  assert.deepEqual(calls, ['close']);
});

it('a pushed frame replaces the one waiting in the engine', () => {
  const { feed, stream, calls } = setUp();
  feed.attach(stream, parameters);
  const input = { image: { width: 1, height: 1, data: new Uint8Array(3) }, decodeMs: 5 };
  feed.push(-1, input);
  assert.deepEqual(calls, [[-1, input, { replace: true }]]);
});

it('only parameters that apply to the input make a change wait for frames under way', async () => {
  const waiting: string[] = [];
  for (const name of parameterNames) {
    const { feed, stream } = setUp(() => {
      waiting.push(name);
      return Promise.resolve();
    });
    feed.attach(stream, parameters);
    const [update] = otherUpdates(name, parameters[name]);
    await feed.configure({ ...parameters, ...update });
  }
  const applying = parameterNames.filter((name) => parameterSchemas[name]['x-applies'].includes('input'));
  assert.deepEqual(waiting, applying);
  assert.deepEqual(applying, ['controls', 'width', 'height', 'fit']);
});

it('a change that keeps the shape of frames takes effect immediately, and returns its first frame', async () => {
  const { feed, stream, calls } = setUp();
  feed.attach(stream, parameters);
  const changed = { ...parameters, steps: 2 };
  const from = feed.configure(changed);
  assert.deepEqual([feed.parameters, feed.running], [parameters, true]);
  assert.equal(await from, 7);
  assert.deepEqual([calls, feed.parameters, feed.running], [[changed], changed, true]);
  await feed.configure({ ...changed, paused: true });
  assert.equal(feed.running, false);
});

for (const [name, value] of [
  ['width', 128],
  ['height', 128],
  ['fit', 'contain'],
] as const) {
  it(`a change of the ${name} waits until no frame is under way, and admits no other until then`, async () => {
    let empty: () => void = () => {};
    const { feed, stream, calls } = setUp(() => new Promise((resolve) => (empty = resolve)));
    feed.attach(stream, parameters);
    const changed: StreamParameters = { ...parameters, [name]: value };
    const done = feed.configure(changed);
    await new Promise(setImmediate);
    assert.deepEqual([calls, feed.running], [[], false]);
    empty();
    assert.equal(await done, 7);
    assert.deepEqual([calls, feed.parameters, feed.running], [[changed], changed, true]);
  });
}

it('a change of controls waits for frames under way only if frames need other pictures', async () => {
  const usual = { canny: { scale: 0.5 }, depth: { scale: 0 } };
  const changes: readonly (readonly [waits: boolean, controls: StreamParameters['controls']])[] = [
    [false, usual],
    [false, { ...usual, canny: { scale: 2, start: 0.1, end: 0.5 } }],
    [false, { canny: { scale: 0.5 } }],
    [false, { ...usual, depth: { scale: 0, preprocessor: 'passthrough' } }],
    [true, { ...usual, canny: { scale: 0 } }],
    [true, {}],
    [true, { ...usual, depth: { scale: 0.1 } }],
    [true, { ...usual, canny: { scale: 0.5, preprocessor: 'soft_edge' } }],
  ];
  for (const [waits, controls] of changes) {
    let waited = false;
    const { feed, stream, calls } = setUp(() => {
      waited = true;
      return Promise.resolve();
    });
    feed.attach(stream, { ...parameters, controls: usual });
    await feed.configure({ ...parameters, controls });
    assert.deepEqual([waited, calls], [waits, [{ ...parameters, controls }]], JSON.stringify(controls));
  }
});

it('a refused change leaves everything unchanged', async () => {
  const { feed, stream, failure } = setUp(() => Promise.resolve());
  feed.attach(stream, parameters);
  failure.next = new Error('not with this model');
  await assert.rejects(feed.configure({ ...parameters, width: 128 }), failure.next);
  assert.deepEqual([feed.parameters, feed.running], [parameters, true]);
});
