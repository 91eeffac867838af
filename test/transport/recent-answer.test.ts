import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RecentAnswer } from '../../src/transport/recent-answer.js';

it('an answer is made as often as the rate allows, and then given again', async () => {
  let made = 0;
  const answer = new RecentAnswer(() => Promise.resolve(++made), { perSecond: 0.001, burst: 3 });
  const given: number[] = [];
  for (let i = 0; i < 6; i++) given.push(await answer.get());
  assert.deepEqual(given, [1, 2, 3, 3, 3, 3]);
});
