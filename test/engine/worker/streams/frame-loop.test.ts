import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clock, push, setUp, side, usual, type Result, useClock } from './frame-loop-rig.js';

useClock();

describe('a frame', () => {
  it('is encoded, predicted one stage per call and decoded, and its times are reported', async () => {
    const { loop, posted, given, open, results, inferences } = setUp();
    const stream = await open(7);
    assert.equal(await loop.turn(), false);
    const pixels = push(stream, 3);
    clock.now += 4;
    assert.equal(await loop.turn(), true);
    clock.now += 100;
    assert.equal(await loop.turn(), true);
    assert.equal(await loop.turn(), false);
    assert.deepEqual(
      posted.map(({ type }) => type),
      ['admitted', 'recycle', 'inference', 'inference', 'result'],
    );
    assert.deepEqual(posted[0], { type: 'admitted', stream: 7, frame: 3 });
    assert.equal((posted[1] as { pixels?: unknown }).pixels, pixels);
    const [{ pixels: drawn, ...result }] = results();
    assert.deepEqual(given, [[pixels], [drawn]]);
    assert.equal(drawn.byteLength, side * side * 3);
    assert.deepEqual(result, {
      type: 'result',
      stream: 7,
      frame: 3,
      width: side,
      height: side,
      timings: { queueMs: 4, vaeEncodeMs: 2, denoiseMs: 120, vaeDecodeMs: 3 },
    });
    const call = { type: 'inference', rows: 1, streams: 1, ms: 10, pictureMs: 0, expectedMs: 10 };
    assert.deepEqual(inferences(), [call, call]);
  });

  it('from noise alone is never encoded, and does not count as a picture', async () => {
    const { loop, posted, open, results, inferences } = setUp();
    const stream = await open(7, { t_index_list: [10] });
    for (const frame of [0, 1]) {
      push(stream, frame, { textOnly: true });
      await loop.turn();
    }
    assert.ok(!posted.some(({ type }) => type === 'recycle'));
    assert.deepEqual(
      results().map(({ timings }) => timings),
      [0, 1].map(() => ({ queueMs: 0, vaeEncodeMs: 0, denoiseMs: 10, vaeDecodeMs: 3 })),
    );
    assert.equal(inferences()[1]?.pictureMs, 0);
    assert.equal(inferences()[1]?.expectedMs, 10);
  });

  it('gives back the memory of each of its pictures', async () => {
    const { loop, given, open } = setUp();
    const stream = await open(7);
    const size = { width: side, height: side };
    const image = { ...size, data: new Uint8Array(side * side * 3) };
    const another = { ...size, data: new Uint8Array(side * side * 3) };
    const input = { image, another };
    stream.push({ frame: 0, ...size, input, arrivedAt: clock.now }, false);
    await loop.turn();
    assert.deepEqual(given, [[image.data.buffer], [another.data.buffer]]);
  });

  it('that is finished counts once, with the next call, by its size', async () => {
    const { loop, open, inferences } = setUp({ encodeMs: 4 });
    const stream = await open(7, { t_index_list: [10], height: 2 * side });
    for (const frame of [0, 1]) {
      push(stream, frame);
      await loop.turn();
    }
    const input = { image: null };
    stream.push({ frame: 2, width: side, height: 2 * side, input, arrivedAt: clock.now }, false);
    await loop.turn();
    push(stream, 3, { textOnly: true });
    await loop.turn();
    assert.deepEqual(
      inferences().map(({ ms, pictureMs, expectedMs }) => [ms, pictureMs, expectedMs]),
      [
        [10, 0, 20],
        [10, 7, 30],
        [10, 7, 30],
        [10, 0, 20],
      ],
    );
  });

  it('that took less than a millisecond to encode counts as well', async () => {
    const { loop, open, inferences } = setUp({ encodeMs: 0.5 });
    const stream = await open(7, { t_index_list: [10] });
    for (const frame of [0, 1]) {
      push(stream, frame);
      await loop.turn();
    }
    assert.equal(inferences()[1]?.pictureMs, 3.5);
  });

  it('of a stream that has closed is discarded', async () => {
    const { loop, open, fates } = setUp();
    const stream = await open(7);
    push(stream, 0);
    await loop.turn();
    loop.remove(stream);
    assert.equal(await loop.turn(), false);
    assert.deepEqual(fates(), ['7: 0 admitted']);
  });

  it('of a stream that comes from elsewhere continues as if it had entered now', async () => {
    const first = setUp();
    const stream = await first.open(7);
    push(stream, 5);
    await first.loop.turn();
    const state = stream.snapshot();
    const { loop, open, results } = setUp();
    const other = await open(8);
    loop.remove(other);
    other.restore(state);
    loop.add(other);
    clock.now += 30;
    await loop.turn();
    assert.deepEqual(
      results().map(({ stream: id, frame, timings }) => ({ id, frame, timings })),
      [{ id: 8, frame: 5, timings: { queueMs: 0, vaeEncodeMs: 0, denoiseMs: 40, vaeDecodeMs: 3 } }],
    );
  });
});

describe('frames of several streams', () => {
  it('share calls, and each gets its own result', async () => {
    const together = setUp();
    const streams = [await together.open(0), await together.open(1, { cfg_type: 'full', guidance_scale: 3 })];
    for (const [i, stream] of streams.entries()) push(stream, 10 * i, { byte: 100 * (i + 1) });
    await together.loop.turn();
    push(streams[0], 1, { byte: 30 });
    await together.loop.turn();
    await together.loop.turn();
    assert.deepEqual(together.calls, [3, 4, 1]);
    assert.deepEqual(
      together.inferences().map(({ rows, streams: count, ms }) => [rows, count, ms]),
      [
        [3, 2, 30],
        [4, 2, 40],
        [1, 1, 10],
      ],
    );
    for (const [id, settings, frames] of [
      [
        0,
        {},
        [
          [0, 100],
          [1, 30],
        ],
      ],
      [1, { cfg_type: 'full', guidance_scale: 3 }, [[10, 200]]],
    ] as const) {
      const alone = setUp();
      const stream = await alone.open(id, settings);
      for (const [frame, byte] of frames) {
        push(stream, frame, { byte });
        for (let call = 0; call < 3; call++) await alone.loop.turn();
      }
      const own = ({ stream: of }: Result): boolean => of === id;
      assert.deepEqual(
        together
          .results()
          .filter(own)
          .map(({ frame, pixels }) => [frame, new Uint8Array(pixels)]),
        alone.results().map(({ frame, pixels }) => [frame, new Uint8Array(pixels)]),
      );
    }
  });

  it('are limited in each call by its rows and to a quarter of a second', async () => {
    const few = setUp({ rowBudget: 2 });
    for (const id of [0, 1, 2]) push(await few.open(id), 0);
    await few.loop.turn();
    assert.deepEqual(few.calls, [2]);
    // Rows of 40 ms, and pictures of 20 ms: four of each are 240 ms.
    const large = setUp({ rowBudget: 8 });
    for (let id = 0; id < 6; id++) push(await large.open(id, { width: 2 * side, height: 2 * side }), 0);
    await large.loop.turn();
    assert.deepEqual(large.calls, [4]);
    // Where calls of 30 rows are the best, they may cost that much: 20 frames with their pictures.
    const wide = setUp({ rowBudget: 30 });
    for (let id = 0; id < 30; id++) push(await wide.open(id), 0);
    await wide.loop.turn();
    assert.deepEqual(wide.calls, [20]);
  });

  it('wait longer after other work for their stream', async () => {
    const { loop, open, fates } = setUp({ rowBudget: 1 });
    const streams = [await open(0, { t_index_list: [10] }), await open(1, { t_index_list: [10] })];
    for (const stream of streams) for (let frame = 0; frame < 6; frame++) push(stream, frame);
    await loop.turn();
    // Three more frames of the other fit into that: each takes 15 ms.
    loop.charge(streams[0], 45);
    for (let call = 0; call < 4; call++) await loop.turn();
    const admitted = fates().filter((fate) => fate.endsWith('admitted'));
    assert.equal(admitted.filter((fate) => fate.startsWith('1')).length, 4, admitted.join());
  });
});

it('a stream that is gone leaves nothing behind', async () => {
  const { loop, open, fates } = setUp({ rowBudget: 1 });
  const [stream, other] = [await open(0), await open(1)];
  loop.charge(stream, 1e6);
  loop.charge(other, 20);
  loop.remove(stream);
  loop.add(stream);
  for (const one of [stream, other]) push(one, 0);
  await loop.turn();
  assert.deepEqual(fates(), ['0: 0 admitted']);
});

describe('a network that computes values that are not finite', () => {
  it('fails the frame that is encoded, and the call continues without it', async () => {
    const { loop, given, spoil, open, fates, calls } = setUp();
    const stream = await open(0);
    const other = await open(1);
    spoil.add('encode');
    const pixels = push(stream, 0);
    assert.equal(await loop.turn(), true, 'that was work too');
    assert.deepEqual(calls, []);
    assert.deepEqual(given, [[pixels]], 'its memory goes back');
    assert.deepEqual(fates(), ['0: 0 admitted', 'not finite: vae_encoder', '0: 0 failed']);
    push(stream, 1);
    push(other, 0);
    await loop.turn();
    await loop.turn();
    assert.deepEqual(fates().slice(-2).toSorted(), ['0: 1 result', '1: 0 result']);
  });

  it('fails the frame whose rows are predicted, and no other', async () => {
    const { loop, spoil, open, fates } = setUp();
    const streams = [await open(0), await open(1)];
    for (const stream of streams) push(stream, 0);
    spoil.add('predict');
    await loop.turn();
    assert.deepEqual(fates().slice(2), ['not finite: unet', '0: 0 failed']);
    assert.deepEqual(
      streams.map((stream) => stream.lanes().length),
      [0, 1],
    );
    await loop.turn();
    assert.deepEqual(fates().slice(4), ['1: 0 result']);
  });

  it('fails the frame whose latent overflows, and leaves no feedback to the next', async () => {
    const { loop, spoil, open, fates } = setUp();
    const stream = await open(0, { t_index_list: [0], latent_feedback: 0.5 });
    push(stream, 0);
    spoil.add('overflow');
    await loop.turn();
    assert.deepEqual(fates(), ['0: 0 admitted', 'not finite: unet', '0: 0 failed']);
    spoil.clear();
    push(stream, 1);
    await loop.turn();
    assert.equal(fates().at(-1), '0: 1 result');
  });

  it('is not the same as one that throws', async () => {
    const { loop, spoil, open } = setUp();
    push(await open(0), 0);
    spoil.add('crash');
    await assert.rejects(loop.turn(), /out of memory/);
  });

  it('fails the frame that is decoded, whose memory is reused for the next', async () => {
    const { loop, spoil, open, fates, pixels, results } = setUp();
    const stream = await open(0, { t_index_list: [10] });
    const memory = new ArrayBuffer(side * side * 3);
    pixels.give(memory);
    push(stream, 0);
    spoil.add('decode');
    await loop.turn();
    assert.deepEqual(fates().slice(1), ['not finite: vae_decoder', '0: 0 failed']);
    push(stream, 1);
    await loop.turn();
    assert.deepEqual(fates().slice(3), ['0: 1 admitted', '0: 1 result']);
    assert.equal(results()[0]?.pixels, memory);
  });
});

it('prices follow the times of calls and pictures', async () => {
  const { loop, open, prices } = setUp({ encodeMs: 17, rowMs: 18 });
  const stream = await open(0, { t_index_list: [10] });
  assert.deepEqual([prices.row(stream.key, usual), prices.picture(usual)], [1, 0.5]);
  push(stream, 0);
  await loop.turn();
  assert.equal(prices.row(stream.key, usual), 1.1);
  // An eighth of the way from 5 ms to 20 ms.
  assert.equal(prices.picture(usual), 0.6875);
});
