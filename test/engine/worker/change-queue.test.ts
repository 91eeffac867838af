import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ChangeQueue } from '../../../src/engine/worker/change-queue.js';

/** A queue whose changes note who they are of. */
function recorded(): {
  readonly queue: ChangeQueue;
  readonly done: string[];
  put(stream: number, account?: string): void;
} {
  const queue = new ChangeQueue();
  const done: string[] = [];
  return {
    queue,
    done,
    put(stream, account = String(stream)) {
      queue.put({ stream, account, carryOut: async () => void done.push(account) });
    },
  };
}

describe('ChangeQueue', () => {
  it('does one change at a time, in order for each stream', async () => {
    const queue = new ChangeQueue();
    const order: number[] = [];
    for (const number of [1, 2, 3]) {
      queue.put({ stream: 7, account: '7', carryOut: async () => void order.push(number) });
    }
    assert.equal((await queue.next())?.stream, 7);
    assert.deepEqual(order, [1]);
    await queue.next();
    await queue.next();
    assert.deepEqual(order, [1, 2, 3]);
    assert.equal(await queue.next(), null);
  });

  it('lets one who changes once pass one who changes all the time', async () => {
    const { queue, done, put } = recorded();
    for (let i = 0; i < 100; i++) put(1);
    await queue.next();
    put(2);
    for (let i = 0; i < 2; i++) await queue.next();
    assert.ok(done.includes('2'), done.join(' '));
  });

  it('serves one who waits while newcomers come without end', async () => {
    const { queue, done, put } = recorded();
    for (let i = 0; i < 20; i++) put(0);
    for (let i = 1; i <= 60; i++) {
      put(i);
      await queue.next();
      queue.cancel(i, String(i));
    }
    const own = done.filter((account) => account === '0').length;
    assert.equal(own, 20);
  });

  it('gives up the changes of a stream that is closed, and of no other', async () => {
    const { queue, done, put } = recorded();
    put(1, 'images');
    put(2, 'images');
    put(3);
    queue.cancel(1);
    while ((await queue.next()) !== null);
    assert.deepEqual(done.toSorted(), ['3', 'images']);
  });
});
