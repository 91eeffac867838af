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

it('messages that nobody waits for go with the next one, in order and with their memory', () => {
  const { outbox, posts } = setUp();
  const pixels = new ArrayBuffer(3);
  outbox.post({ type: 'admitted', stream: 0, frame: 0 });
  assert.deepEqual(posts, [{ types: ['admitted'], memory: [] }]);
  outbox.post({ type: 'recycle', pixels }, [pixels]);
  outbox.post({ type: 'embedding', hit: true });
  outbox.post({ type: 'inference', ...call });
  assert.equal(posts.length, 1);
  outbox.post({ type: 'dropped', stream: 0, frame: 0, reason: 'failed' });
  assert.deepEqual(posts.slice(1), [
    { types: ['recycle', 'embedding', 'inference', 'dropped'], memory: [pixels] },
  ]);
});

it('what waits is posted when the outbox is flushed, once', () => {
  const { outbox, posts } = setUp();
  outbox.flush();
  assert.deepEqual(posts, []);
  outbox.post({ type: 'inference', ...call });
  outbox.flush();
  outbox.flush();
  assert.deepEqual(posts, [{ types: ['inference'], memory: [] }]);
});
