import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FairClock } from '../../src/diffusion/fair-clock.js';

/** Serves the piece of work with the lowest tag. @returns its key. */
function serve<Key>(clock: FairClock<Key>, waiting: ReadonlyMap<Key, number>): Key {
  clock.arrive(new Set(waiting.keys()));
  const [first] = [...waiting]
    .map(([key, cost]) => ({ key, cost, tag: clock.tag(key, cost) }))
    .toSorted((a, b) => a.tag - b.tag);
  assert.ok(first);
  clock.advance(first.tag);
  clock.charge(first.key, first.cost);
  return first.key;
}

const anyCost = fc.double({ min: 0.25, max: 16, noNaN: true });

describe('FairClock', () => {
  it('computes a tag as the end of the work, and its time as the last tag served', () => {
    const clock = new FairClock<string>();
    assert.equal(clock.tag('a', 3), 3);
    clock.arrive(new Set(['a', 'b']));
    clock.advance(3);
    clock.charge('a', 3);
    assert.deepEqual([clock.tag('a', 2), clock.tag('b', 2), clock.tag('new', 2)], [5, 2, 5]);
    clock.advance(2);
    assert.equal(clock.tag('new', 0), 3, 'it only moves forward');
    clock.charge('a', -1);
    assert.equal(clock.tag('a', 0), 2);
    // One that stays keeps its place; one that was idle starts at the clock unless it is ahead of it.
    clock.charge('b', 1);
    clock.arrive(new Set(['a']));
    clock.arrive(new Set(['a', 'b']));
    assert.deepEqual([clock.tag('a', 0), clock.tag('b', 0)], [2, 3]);
    clock.charge('b', 10);
    clock.arrive(new Set(['a']));
    clock.arrive(new Set(['b']));
    clock.arrive(new Set(['a', 'b', 'c']));
    assert.deepEqual([clock.tag('a', 0), clock.tag('b', 0), clock.tag('c', 0)], [3, 13, 3]);
    // Work of one that is not waiting counts from the clock.
    clock.charge('late', 4);
    clock.advance(20);
    assert.equal(clock.tag('late', 0), 7);
    clock.arrive(new Set(['late']));
    assert.equal(clock.tag('late', 0), 20);
    clock.remove('b');
    assert.equal(clock.tag('b', 0), 20);
  });

  it('serves a waiting key its share, however fast newcomers arrive and leave, and whatever they cost', () => {
    const newcomers = fc.record({
      // How many wait at the same time, what each costs, and after how many turns without service one leaves.
      present: fc.integer({ min: 1, max: 8 }),
      costs: fc.array(anyCost, { minLength: 1, maxLength: 20 }),
      maxTurns: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(newcomers, anyCost, ({ present, costs, maxTurns }, own) => {
        const clock = new FairClock<string>();
        const largest = Math.max(own, ...costs);
        const waiting = new Map<string, number>([['bystander', own]]);
        const since = new Map<string, number>();
        let count = 0;
        let served = 0;
        let total = 0;
        let gap = 0;
        for (let turn = 0; turn < 400; turn++) {
          for (const [key, came] of since) {
            if (turn - came <= maxTurns) continue;
            waiting.delete(key);
            since.delete(key);
            clock.remove(key);
          }
          while (waiting.size <= present) {
            const key = `newcomer ${count}`;
            waiting.set(key, costs[count++ % costs.length] ?? 1);
            since.set(key, turn);
          }
          const key = serve(clock, waiting);
          const cost = waiting.get(key) ?? 0;
          total += cost;
          gap = key === 'bystander' ? 0 : gap + cost;
          assert.ok(gap <= present * (own + largest) + largest, `waited ${gap} with ${present} newcomers`);
          if (key === 'bystander') served += own;
          else {
            waiting.delete(key);
            since.delete(key);
            clock.remove(key);
          }
        }
        const share = total / (present + 1);
        assert.ok(served >= share - 2 * largest, `${served} of ${total}, a share is ${share}`);
      }),
    );
  });

  it('gives equal shares of cost to all that always want more', () => {
    fc.assert(
      fc.property(fc.array(anyCost, { minLength: 2, maxLength: 8 }), (costs) => {
        const clock = new FairClock<number>();
        const waiting = new Map(costs.map((cost, i) => [i, cost]));
        const served = costs.map(() => 0);
        for (let turn = 0; turn < 500; turn++) {
          const key = serve(clock, waiting);
          served[key] += costs[key];
        }
        assert.ok(Math.max(...served) - Math.min(...served) <= 2 * Math.max(...costs), served.join(' '));
      }),
    );
  });

  it('gives an occasional key all that it wants, and no burst for its idle time', () => {
    const clock = new FairClock<string>();
    const busy = new Map([
      ['a', 1],
      ['b', 1],
    ]);
    for (let turn = 0; turn < 100; turn++) serve(clock, busy);
    const withRare = new Map([...busy, ['rare', 1]]);
    const order = Array.from({ length: 9 }, () => serve(clock, withRare));
    assert.deepEqual(
      ['a', 'b', 'rare'].map((key) => order.filter((served) => served === key).length),
      [3, 3, 3],
    );
    // It leaves for a while, and comes back for one piece of work: within one round.
    for (let turn = 0; turn < 50; turn++) serve(clock, busy);
    assert.ok([serve(clock, withRare), serve(clock, withRare), serve(clock, withRare)].includes('rare'));
  });

  it('forgets idle accounts, even those that are charged after their removal', () => {
    const clock = new FairClock<number>();
    for (let key = 0; key < 100; key++) {
      serve(clock, new Map([[key, 1]]));
      clock.remove(key);
      clock.charge(key, 0.5);
    }
    for (let turn = 0; turn < 10; turn++) serve(clock, new Map([[-1, 1]]));
    assert.equal(clock.size, 1);
  });

  it('counts charges that come afterwards', () => {
    const clock = new FairClock<string>();
    const waiting = new Map([
      ['cheap', 1],
      ['dear', 1],
    ]);
    const served = { cheap: 0, dear: 0 };
    for (let turn = 0; turn < 120; turn++) {
      const key = serve(clock, waiting) as 'cheap' | 'dear';
      if (key === 'dear') clock.charge(key, 4);
      served[key] += 1;
    }
    assert.ok(Math.abs(served.cheap - 5 * served.dear) <= 6, JSON.stringify(served));
  });
});
