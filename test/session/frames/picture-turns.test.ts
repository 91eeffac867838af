import assert from 'node:assert/strict';
import { describe, it, mock, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodersFor, PictureTurns } from '../../../src/session/frames/picture-turns.js';

/** Work that ends when the test says so. */
class Work {
  readonly begun: string[] = [];
  readonly #open: (() => void)[] = [];

  readonly of = (name: string) => async (): Promise<string> => {
    this.begun.push(name);
    await new Promise<void>((resolve) => this.#open.push(resolve));
    return name;
  };

  /** Ends the oldest work that has begun. */
  async finish(): Promise<void> {
    this.#open.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('pictures are decoded on half of the processors, at least one and at most three at a time', () => {
  assert.deepEqual([1, 2, 3, 4, 6, 64].map(decodersFor), [1, 1, 1, 2, 3, 3]);
});

describe('PictureTurns', () => {
  it('runs up to its limit at once, and returns what the work returns', async () => {
    const turns = new PictureTurns(2);
    const work = new Work();
    const results = ['a', 'b', 'c'].map((name) => turns.run({}, work.of(name)));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(work.begun, ['a', 'b']);
    await work.finish();
    assert.deepEqual(work.begun, ['a', 'b', 'c']);
    await work.finish();
    await work.finish();
    assert.deepEqual(await Promise.all(results), ['a', 'b', 'c']);
  });

  it('passes a failure on, and continues with the next', async () => {
    const turns = new PictureTurns(1);
    const failing = turns.run({}, () => Promise.reject(new Error('not a picture')));
    const next = turns.run({}, () => Promise.resolve('next'));
    await assert.rejects(failing, /not a picture/);
    assert.equal(await next, 'next');
  });

  it('cancels the waiting work of a stream that is gone', async () => {
    const turns = new PictureTurns(1);
    const work = new Work();
    const [first, gone, last] = [{}, {}, {}];
    const results = [
      turns.run(first, work.of('first')),
      turns.run(gone, work.of('gone')),
      turns.run(last, work.of('last')),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    turns.remove(gone);
    await work.finish();
    await work.finish();
    assert.deepEqual(await Promise.all(results), ['first', null, 'last']);
    assert.deepEqual(work.begun, ['first', 'last']);
  });

  it('lets a stream with fast pictures overtake streams with slow ones, even if those are new each time', async (t) => {
    let now = 1e6;
    t.mock.method(performance, 'now', () => now);
    const turns = new PictureTurns(1);
    const fast = {};
    const order: string[] = [];
    const work = (name: string, ms: number) => async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      now += ms;
      order.push(name);
    };
    await turns.run(fast, work('fast', 1));
    // First, some slow pictures are measured.
    for (let i = 0; i < 4; i++) await turns.run({}, work('slow', 20));
    order.length = 0;
    const pending: Promise<unknown>[] = [];
    for (let round = 0; round < 6; round++) {
      pending.push(turns.run({}, work('slow', 20)), turns.run({}, work('slow', 20)));
      await turns.run(fast, work('fast', 1));
    }
    await Promise.all(pending);
    // Each time it waits for at most the picture under way and one more.
    const places = order.flatMap((name, place) => (name === 'fast' ? [place] : []));
    assert.ok((places.at(-1) ?? Infinity) <= 12, order.join(' '));
  });

  it('decodes one short picture besides the others while all of them take long', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let now = 1e6;
    t.mock.method(performance, 'now', () => now);
    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const pass = async (ms: number, clockMs = ms): Promise<void> => {
      now += clockMs;
      t.mock.timers.tick(ms);
      await settle();
    };
    const turns = new PictureTurns(2);
    const [long, short, alsoShort, borderline] = [{}, {}, {}, {}];
    for (const [owner, ms] of [
      [long, 400],
      [short, 10],
      [alsoShort, 50],
      [borderline, 51],
    ] as const) {
      await turns.run(owner, async () => {
        now += ms;
        return Promise.resolve();
      });
    }
    const work = new Work();
    const run = (owner: object, name: string): Promise<string | null> => turns.run(owner, work.of(name));
    const results = [run(long, 'long'), run({}, 'new'), run({}, 'another'), run(borderline, 'borderline')];
    results.push(run(short, 'short'), run(alsoShort, 'also short'));
    await settle();
    assert.deepEqual(work.begun, ['long', 'new']);
    await pass(49);
    assert.deepEqual(work.begun, ['long', 'new'], 'they may be short themselves');
    // Timers may be early by the clock.
    await pass(1, 0.4);
    assert.deepEqual(work.begun, ['long', 'new', 'short'], 'no unknown and no long one');
    await pass(500);
    assert.deepEqual(work.begun, ['long', 'new', 'short'], 'one and no more');
    for (let i = 0; i < 6; i++) await work.finish();
    assert.deepEqual(await Promise.all(results), [
      'long',
      'new',
      'another',
      'borderline',
      'short',
      'also short',
    ]);
  });

  it('estimates a picture by the last ones of its stream, or by those of others', async (t) => {
    let now = 1e6;
    mock.method(performance, 'now', () => now);
    t.after(() => mock.restoreAll());
    const turns = new PictureTurns(1);
    const [a, b, c] = [{}, {}, {}];
    const take = (owner: object, ms: number): Promise<unknown> =>
      turns.run(owner, () => {
        now += ms;
        return Promise.resolve();
      });
    await take(a, 40);
    assert.equal(turns.usualMs(a), 40);
    await take(a, 80);
    assert.equal(turns.usualMs(a), 50, 'a quarter of the way');
    await take(b, 8);
    assert.deepEqual([turns.usualMs(a), turns.usualMs(b), turns.usualMs(c)], [50, 8, 0]);
    // Over all streams: 10, 27.5, 22.625. A new stream waits for one picture of b, and no longer.
    const order: string[] = [];
    const work = (owner: object, name: string, ms: number): Promise<unknown> =>
      turns.run(owner, () => {
        now += ms;
        order.push(name);
        return Promise.resolve();
      });
    await Promise.all([
      work(a, 'first', 50),
      work(a, 'a', 50),
      work(c, 'c', 22),
      work(b, 'b', 8),
      work(b, 'b', 8),
      work(b, 'b', 8),
    ]);
    assert.deepEqual(order, ['first', 'b', 'b', 'c', 'b', 'a']);
    turns.remove(a);
    assert.equal(await turns.run(a, () => Promise.resolve('again')), 'again');
  });

  it('estimates a picture of a new stream by a quarter of the first picture of all', async (t) => {
    let now = 1e6;
    t.mock.method(performance, 'now', () => now);
    // After 40 ms and those of the known stream, the new one is expected to take 10.075 or 9.95 ms.
    for (const [known, usual, expected] of [
      [10.3, 10.075, ['first', 'new', 'known']],
      [9.8, 9.95, ['first', 'known', 'new']],
    ] as const) {
      const turns = new PictureTurns(1);
      const order: string[] = [];
      const take = (owner: object, name: string, ms: number): Promise<unknown> =>
        turns.run(owner, () => {
          now += ms;
          order.push(name);
          return Promise.resolve();
        });
      const [first, other] = [{}, {}];
      await take(first, 'first', 40);
      await take(other, 'known', known);
      order.length = 0;
      await Promise.all([
        take(first, 'first', usual),
        ...(known > 10
          ? [take(other, 'known', known), take({}, 'new', 10)]
          : [take({}, 'new', 10), take(other, 'known', known)]),
      ]);
      assert.deepEqual(order, expected);
    }
  });

  it('returns how long a picture of a stream takes', async () => {
    const turns = new PictureTurns(1);
    const owner = {};
    assert.equal(turns.usualMs(owner), 0);
    await turns.run(owner, () => sleep(20));
    assert.ok(turns.usualMs(owner) >= 15, `${turns.usualMs(owner)}`);
  });
});
