import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Outbox } from '../../../src/engine/worker/outbox.js';

const call = { rows: 1, streams: 1, ms: 1, pictureMs: 1, expectedMs: 1 };

/** An outbox, and what it has posted. */
function setUp(): {
  readonly outbox: Outbox;
  readonly posts: { readonly types: readonly string[]; readonly memory: readonly ArrayBuffer[] }[];
} {
  const posts: { types: string[]; memory: readonly ArrayBuffer[] }[] = [];
  const port = {
    postMessage(messages: readonly { readonly type: string }[], memory: readonly ArrayBuffer[]) {
      posts.push({ types: messages.map(({ type }) => type), memory });
    },
  };
  return { outbox: new Outbox(port), posts };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('messages go together in the next turn of the event loop, in order and with their memory', async () => {
  const { outbox, posts } = setUp();
  const pixels = new ArrayBuffer(3);
  outbox.post({ type: 'recycle', pixels }, [pixels]);
  outbox.post({ type: 'admitted', stream: 0, frame: 0 });
  outbox.post({ type: 'dropped', stream: 0, frame: 0, reason: 'failed' });
  await Promise.resolve();
  assert.deepEqual(posts, []);
  await nextTurn();
  assert.deepEqual(posts, [{ types: ['recycle', 'admitted', 'dropped'], memory: [pixels] }]);
  outbox.post({ type: 'admitted', stream: 0, frame: 1 });
  await nextTurn();
  assert.deepEqual(posts.slice(1), [{ types: ['admitted'], memory: [] }]);
});

it('messages are posted before a call of the device that begins in the same turn', async () => {
  const { outbox, posts } = setUp();
  outbox.post({ type: 'admitted', stream: 0, frame: 0 });
  // As in onnxruntime-node, whose calls block the event loop.
  const seen = await new Promise<number>((resolve) => setImmediate(() => resolve(posts.length)));
  assert.equal(seen, 1);
});

it('messages that nobody waits for go with the next ones', async () => {
  const { outbox, posts } = setUp();
  outbox.post({ type: 'embedding', hit: true });
  outbox.post({ type: 'inference', ...call });
  await nextTurn();
  assert.deepEqual(posts, []);
  outbox.post({ type: 'dropped', stream: 0, frame: 0, reason: 'failed' });
  await nextTurn();
  assert.deepEqual(posts, [{ types: ['embedding', 'inference', 'dropped'], memory: [] }]);
});

it('what waits is posted when the outbox is flushed, once', async () => {
  const { outbox, posts } = setUp();
  outbox.flush();
  assert.deepEqual(posts, []);
  outbox.post({ type: 'inference', ...call });
  outbox.post({ type: 'admitted', stream: 0, frame: 0 });
  outbox.flush();
  outbox.flush();
  await nextTurn();
  assert.deepEqual(posts, [{ types: ['inference', 'admitted'], memory: [] }]);
});
