import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LiveStream } from '../../../../src/engine/worker/streams/live-stream.js';
import { clock, push, setUp, side, sizeOf, type Rig, useClock } from './frame-loop-rig.js';

useClock();

const largeSize = { width: 4 * side, height: 4 * side };

/** Opens a stream that shows a frame every 100 ms, and streams of large pictures. */
async function beside(
  large: number,
  { callMs = 600, pictureMs = 0 } = {},
): Promise<{
  readonly rig: Rig;
  readonly show: () => Promise<void>;
  readonly large: readonly LiveStream[];
  readonly drawn: (stream: number) => number;
}> {
  const rig = setUp({ largeMs: callMs });
  const small = await rig.open(1, { t_index_list: [10] });
  const streams: LiveStream[] = [];
  for (let i = 0; i < large; i++) {
    streams.push(await rig.open(2 + i, { t_index_list: [10], ...largeSize }));
  }
  // The time of a call is known from those before it.
  for (const { key, size } of streams) {
    const shape = sizeOf(size);
    for (let i = 0; i < 20; i++) {
      rig.prices.observeCall(key, shape, { rows: 1, ms: callMs });
      if (pictureMs > 0) rig.prices.observePicture(shape, pictureMs);
    }
  }
  let frame = 0;
  const show = async (): Promise<void> => {
    push(small, frame++);
    while (await rig.loop.turn());
    clock.now += 100 - (clock.now % 100);
  };
  for (let i = 0; i < 4; i++) await show();
  const drawn = (stream: number): number => rig.results().filter((result) => result.stream === stream).length;
  return { rig, show, large: streams, drawn };
}

function first(streams: readonly LiveStream[]): LiveStream {
  const [stream] = streams;
  assert.ok(stream);
  return stream;
}

describe('a long call', () => {
  it('is followed by a rest, in which the frames of other streams continue', async () => {
    const { rig, show, large, drawn } = await beside(1);
    const shown = drawn(1);
    for (let i = 0; i < 3; i++) push(first(large), i);
    assert.equal(await rig.loop.turn(), true);
    assert.equal(drawn(2), 1);
    const rest = rig.loop.rest;
    assert.ok(rest > 2700 && rest < 2800, `${rest}`);
    const until = clock.now + rest;
    let frames = 0;
    for (; clock.now < until - 100; frames++) await show();
    assert.equal(drawn(2), 1);
    assert.equal(drawn(1), shown + frames);
    clock.now = until;
    assert.equal(rig.loop.rest, Infinity);
    assert.equal(await rig.loop.turn(), true);
    assert.equal(drawn(2), 2);
  });

  it('is not followed by one of another stream before the rest ends', async () => {
    const { show, large, drawn } = await beside(3);
    for (const stream of large) for (let i = 0; i < 3; i++) push(stream, i);
    const longDrawn = (): number => drawn(2) + drawn(3) + drawn(4);
    const gaps: number[] = [];
    let last = clock.now;
    for (const end = clock.now + 30_000; clock.now < end;) {
      const before = drawn(1);
      await show();
      if (drawn(1) === before) continue;
      gaps.push(clock.now - last);
      last = clock.now;
    }
    assert.equal(longDrawn(), 9);
    assert.ok(Math.max(...gaps) <= 800, `${Math.max(...gaps)} ms`);
  });

  it('is one whose pictures make it long, too', async () => {
    for (const [pictureMs, rests] of [
      [300, true],
      [20, false],
    ] as const) {
      // As the clock goes, all of it is the U-Net.
      const { rig, large } = await beside(1, { callMs: 260, pictureMs });
      const [stream] = large;
      assert.ok(stream);
      for (let i = 0; i < 60; i++)
        rig.prices.observeCall(stream.key, sizeOf(stream.size), { rows: 1, ms: 160 });
      push(stream, 0);
      assert.equal(await rig.loop.turn(), true);
      assert.equal(rig.loop.rest < Infinity, rests, `${pictureMs} ms`);
    }
  });

  it('is not followed by a rest if no other stream sends frames', async () => {
    const { rig, large, drawn } = await beside(1);
    clock.now += 10_000;
    for (let i = 0; i < 3; i++) push(first(large), i);
    for (let i = 0; i < 3; i++) assert.equal(await rig.loop.turn(), true);
    assert.equal(drawn(2), 3);
    assert.equal(rig.loop.rest, Infinity);
  });

  it('is not followed by a rest if the calls of all others are long too', async () => {
    const rig = setUp({ largeMs: 600 });
    const streams = [2, 3].map((id) => rig.open(id, { t_index_list: [10], ...largeSize }));
    for (const stream of await Promise.all(streams)) {
      for (let i = 0; i < 20; i++) {
        rig.prices.observeCall(stream.key, sizeOf(stream.size), { rows: 1, ms: 600 });
        clock.now += 100;
        push(stream, i);
      }
    }
    for (let i = 0; i < 4; i++) {
      assert.equal(await rig.loop.turn(), true);
      assert.equal(rig.loop.rest, Infinity);
    }
  });
});
