import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SharedAnswer } from '../../src/transport/shared-answer.js';

it('an answer is made as often as the rate allows; requests in between share the next one', async () => {
  let made = 0;
  const answer = new SharedAnswer(() => Promise.resolve(++made), { perSecond: 20, burst: 3 });
  const given = await Promise.all(Array.from({ length: 40 }, () => answer.get()));
  assert.deepEqual(given, [1, 2, 3, ...Array.from({ length: 37 }, () => 4)]);
  assert.equal(await answer.get(), 5, 'and no later request gets the old one');
});

it('a failure is passed on, and the next request makes a new answer', async () => {
  let fails = true;
  const answer = new SharedAnswer(() => (fails ? Promise.reject(new Error('no')) : Promise.resolve(1)), {
    perSecond: 20,
    burst: 1,
  });
  await assert.rejects(answer.get(), /no/);
  await assert.rejects(answer.get(), /no/);
  fails = false;
  assert.equal(await answer.get(), 1);
});
