import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LiveStream } from '../../../../src/engine/worker/streams/live-stream.js';
import { UserCount } from '../../../../src/engine/worker/streams/user-count.js';
import { steeredFolder } from '../../../support/steered-folder.js';
import { clock, folder, push, setUp as setUpLoop, useClock } from './frame-loop-rig.js';
import { setUp } from './live-stream-rig.js';

useClock();

/** Opens a stream whose frames have arrived every `interval` milliseconds, up to 10 s. */
async function streamOf(interval: number, prompt = 'fox'): Promise<LiveStream> {
  const { stream } = await setUp({ prompt, denoise: 'auto' });
  for (let now = 10_000 - 9 * interval; now <= 10_000; now += interval) stream.arrivals.note(now);
  return stream;
}

function countUsers(streams: readonly LiveStream[]): readonly number[] {
  new UserCount().update(streams, 10_000);
  return streams.map(({ denoise }) => denoise.users);
}

describe('the users of a call', () => {
  it('are the streams that send frames as often, itself included', async () => {
    assert.deepEqual(countUsers([await streamOf(33)]), [1]);
    assert.deepEqual(countUsers(await Promise.all([33, 33, 33].map((ms) => streamOf(ms)))), [3, 3, 3]);
  });

  it('count by how many frames they send, and not at all if they are idle', async () => {
    const slow = [330, 330, 330].map((ms) => streamOf(ms));
    assert.deepEqual(countUsers(await Promise.all([streamOf(33), ...slow])), [1, 4, 4, 4]);
    const idle = (await setUp({ denoise: 'auto' })).stream;
    assert.deepEqual(countUsers([await streamOf(33), idle]), [1, 1]);
    const atOnce = (await setUp({ denoise: 'auto' })).stream;
    for (let frame = 0; frame < 9; frame++) atOnce.arrivals.note(10_000);
    assert.deepEqual(countUsers([atOnce, atOnce]), [2, 2]);
  });

  it('have rows that can share a call', async () => {
    const longPrompt = await streamOf(33, 'a fox');
    assert.deepEqual(countUsers([await streamOf(33), longPrompt, await streamOf(33)]), [2, 1, 2]);
  });

  it('are still users while a network makes pictures for the next frames of one', async () => {
    const { open } = setUpLoop({ model: steeredFolder(folder) });
    const lines = { controls: { canny: { scale: 1, preprocessor: 'lines' } } } as const;
    const [one, two] = [await open(1, lines), await open(2, lines)];
    for (let frame = 1; frame <= 9; frame++) {
      clock.now += 33;
      for (const stream of [one, two]) push(stream, frame, { replace: true });
    }
    two.screen();
    new UserCount().update([one, two], clock.now);
    assert.deepEqual([one.denoise.users, two.denoise.users], [2, 2]);
  });

  it('are counted by the loop of U-Net calls', async () => {
    const { loop, open } = setUpLoop();
    const streams = [await open(1), await open(2)];
    for (let frame = 1; frame <= 9; frame++) {
      for (const stream of streams) push(stream, frame, { replace: true });
      clock.now += 33;
      await loop.turn();
    }
    assert.deepEqual(
      streams.map(({ denoise }) => denoise.users),
      [2, 2],
    );
  });

  it('are counted four times a second', async () => {
    const [one, two] = [await streamOf(33), await streamOf(33)];
    const users = new UserCount();
    users.update([one], 10_000);
    users.update([one, two], 10_249);
    assert.equal(one.denoise.users, 1);
    users.update([one, two], 10_250);
    assert.equal(one.denoise.users, 2);
  });
});
