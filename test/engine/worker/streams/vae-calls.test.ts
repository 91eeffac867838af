import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { push, setUp, type Rig, useClock } from './frame-loop-rig.js';

useClock();

const oneStep = { t_index_list: [10] };

/** Lets a frame of each of three streams enter at once. */
async function threeStreams(options: Parameters<typeof setUp>[0]): Promise<Rig> {
  const rig = setUp(options);
  for (const id of [1, 2, 3]) push(await rig.open(id, oneStep), 10 * id, { byte: 60 * id });
  return rig;
}

/** Returns stream, frame and first byte of each result. */
function drawn({ results }: Rig): readonly (readonly number[])[] {
  return results().map(({ stream, frame, pixels }) => [stream, frame, new Uint8Array(pixels)[0]]);
}

describe('frames of several streams', () => {
  it('are encoded before a call and decoded after it together, as many as the budget allows, with the same results', async () => {
    const apart = await threeStreams({});
    await apart.loop.turn();
    assert.deepEqual(
      [apart.encoded, apart.decoded],
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
    );
    const bytes = drawn(apart).map(([, , byte]) => byte);
    assert.equal(new Set(bytes).size, 3);
    for (const [pictureBudget, calls] of [
      [2, [2, 1]],
      [4, [3]],
    ] as const) {
      const together = await threeStreams({ pictureBudget });
      await together.loop.turn();
      assert.deepEqual([together.calls, together.encoded, together.decoded], [[3], calls, calls]);
      assert.deepEqual(drawn(together), drawn(apart));
    }
  });

  it('each count with their share of the time of their calls, as calibration expects it', async () => {
    // A call takes as long with three pictures as with one.
    const rig = await threeStreams({ pictureBudget: 4, pictureGrowth: 0 });
    await rig.loop.turn();
    const timings = { queueMs: 0, vaeEncodeMs: 2, denoiseMs: 30, vaeDecodeMs: 3 };
    assert.deepEqual(
      rig.results().map((result) => result.timings),
      [timings, timings, timings],
    );
    push(await rig.open(4, oneStep), 0);
    await rig.loop.turn();
    const last = rig.inferences().at(-1);
    assert.ok(Math.abs((last?.pictureMs ?? NaN) - 5) < 1e-9, `${last?.pictureMs}`);
    assert.ok(Math.abs((last?.expectedMs ?? NaN) - 15) < 1e-9, `${last?.expectedMs}`);
  });

  it('fail alone where a half of the VAE computes NaN for one of them', async () => {
    for (const [part, network] of [
      ['encode', 'vae_encoder'],
      ['decode', 'vae_decoder'],
    ] as const) {
      const rig = await threeStreams({ pictureBudget: 4 });
      rig.spoil.add(part);
      await rig.loop.turn();
      const fates = rig.fates().filter((fate) => !fate.endsWith('admitted'));
      assert.deepEqual(fates.toSorted(), [
        '1: 10 failed',
        '2: 20 result',
        '3: 30 result',
        `not finite: ${network}`,
      ]);
      assert.equal(await rig.loop.turn(), false);
    }
  });

  it('may come without a picture between those with one', async () => {
    const rig = setUp({ pictureBudget: 4 });
    for (const id of [1, 2, 3]) push(await rig.open(id, oneStep), 0, { textOnly: id === 2, byte: 60 * id });
    await rig.loop.turn();
    assert.deepEqual([rig.encoded, rig.decoded], [[2], [3]]);
    assert.deepEqual(
      rig.results().map(({ timings }) => timings.vaeEncodeMs),
      [4, 0, 4],
    );
  });
});

it('two frames of one stream with feedback are encoded in one call, each from its own picture', async () => {
  const bytes = async (pictureBudget: number): Promise<readonly number[]> => {
    const rig = setUp({ pictureBudget });
    const changes = { ...oneStep, pixel_feedback: 0.5, frame_buffer_size: 2 };
    const stream = await rig.open(1, changes);
    for (const frame of [0, 1, 2, 3]) push(stream, frame, { byte: 50 * (frame + 1) });
    while (await rig.loop.turn());
    assert.equal(rig.encoded[0], pictureBudget);
    return drawn(rig).map(([, , byte = -1]) => byte);
  };
  const apart = await bytes(1);
  assert.deepEqual([apart.length, new Set(apart).size], [4, 4]);
  assert.deepEqual(await bytes(2), apart);
});
