import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import type { EngineStream } from '../../../src/engine/engine.js';
import { EngineFeed } from '../../../src/session/frames/engine-feed.js';
import { FrameLedger } from '../../../src/session/frames/frame-ledger.js';

const parameters = defaultParameters();
const state = { ordinal: 3, frames: [] };

/** A feed into a stream that remembers what it was asked. */
function setUp() {
  const asked: unknown[] = [];
  const failure: { next: Error | null } = { next: null };
  const stream: EngineStream = {
    push: (...frame) => void asked.push(frame),
    async configure(changed) {
      await Promise.resolve();
      if (failure.next) throw failure.next;
      asked.push(changed);
      return { from: 7 };
    },
    snapshot: () => Promise.resolve(state),
    close: () => void asked.push('close'),
  };
  const feed = new EngineFeed();
  return { feed, stream, asked, failure };
}

const never = (): never => assert.fail('frames of this shape may be on their way');

it('without a stream it takes no frames and has no parameters', async () => {
  const { feed, stream, asked } = setUp();
  assert.deepEqual([feed.parameters, feed.running], [null, false]);
  await assert.rejects(feed.snapshot(), { message: 'there is no stream' });
  await assert.rejects(feed.configure(parameters, never), { message: 'configured before it was attached' });
  feed.attach(stream, parameters);
  assert.deepEqual([feed.parameters, feed.running], [parameters, true]);
  assert.equal(await feed.snapshot(), state);
  feed.close();
  feed.close();
  assert.deepEqual([feed.parameters, feed.running, asked], [null, false, ['close']]);
  feed.push(new FrameLedger(1).create(0), null, 0);
  assert.deepEqual(asked, ['close']);
});

it("a frame is the engine's from then on, and takes the place of one that waits there", () => {
  const { feed, stream, asked } = setUp();
  feed.attach(stream, parameters);
  const frame = new FrameLedger(1).create(0);
  const image = { width: 1, height: 1, data: new Uint8Array(3) };
  feed.push(frame, image, 5);
  assert.equal(frame.place, 'engine');
  assert.deepEqual(asked, [[-1, image, { replace: true, preparedMs: 5 }]]);
});

it('a change takes effect at once while frames keep their shape, and says from which frame on', async () => {
  const { feed, stream, asked } = setUp();
  feed.attach(stream, parameters);
  const changed = { ...parameters, steps: 2 };
  const from = feed.configure(changed, never);
  assert.deepEqual([feed.parameters, feed.running], [parameters, true]);
  assert.equal(await from, 7);
  assert.deepEqual([asked, feed.parameters, feed.running], [[changed], changed, true]);
  await feed.configure({ ...changed, paused: true }, never);
  assert.equal(feed.running, false);
});

for (const [name, value] of [
  ['width', 128],
  ['height', 128],
  ['fit', 'contain'],
] as const) {
  it(`a change of the ${name} waits until no frame is on its way, and no other goes in meanwhile`, async () => {
    const { feed, stream, asked } = setUp();
    feed.attach(stream, parameters);
    const changed: StreamParameters = { ...parameters, [name]: value };
    let empty: () => void = () => {};
    const done = feed.configure(changed, () => new Promise((resolve) => (empty = resolve)));
    await new Promise(setImmediate);
    assert.deepEqual([asked, feed.running], [[], false]);
    empty();
    assert.equal(await done, 7);
    assert.deepEqual([asked, feed.parameters, feed.running], [[changed], changed, true]);
  });
}

it('a change that is refused leaves all as it was', async () => {
  const { feed, stream, failure } = setUp();
  feed.attach(stream, parameters);
  failure.next = new Error('not with this model');
  await assert.rejects(
    feed.configure({ ...parameters, width: 128 }, () => Promise.resolve()),
    failure.next,
  );
  assert.deepEqual([feed.parameters, feed.running], [parameters, true]);
});
