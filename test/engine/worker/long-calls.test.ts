import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clock, push, setUp, side } from './frame-loop-rig.js';

describe('a call that takes long', () => {
  it('is followed by a rest, in which the frames of other streams go on', async () => {
    const { loop, open, results } = setUp({ largeMs: 600 });
    const small = await open(1, { t_index_list: [10] });
    const large = await open(2, { t_index_list: [10], width: 2 * side, height: 2 * side });
    let frame = 0;
    const show = async (): Promise<void> => {
      push(small, frame++);
      await loop.turn();
      clock.now += 100 - (clock.now % 100);
    };
    for (let i = 0; i < 4; i++) await show();
    for (let i = 0; i < 3; i++) push(large, i);
    const drawn = (stream: number): number => results().filter((result) => result.stream === stream).length;
    assert.equal(await loop.turn(), true);
    assert.equal(drawn(2), 1);
    const rest = loop.rest;
    assert.ok(rest > 1500 && rest < 2500, `${rest}`);
    const until = clock.now + rest;
    while (clock.now < until - 100) await show();
    assert.equal(drawn(2), 1);
    assert.equal(drawn(1), frame);
    clock.now = until;
    assert.equal(await loop.turn(), true);
    assert.equal(drawn(2), 2);
  });

  it('has no rest behind it where no other stream sends frames', async () => {
    const { loop, open, results } = setUp({ largeMs: 600 });
    const large = await open(2, { t_index_list: [10], width: 2 * side, height: 2 * side });
    for (let i = 0; i < 3; i++) push(large, i);
    for (let i = 0; i < 3; i++) assert.equal(await loop.turn(), true);
    assert.equal(results().length, 3);
    assert.equal(loop.rest, Infinity);
  });
});
