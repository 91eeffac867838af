import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import type { StreamState } from '../../../../src/diffusion/stream.js';
import type { LiveStream } from '../../../../src/engine/worker/streams/live-stream.js';
import { scene } from '../../../diffusion/scene.js';
import { folder, setUp, type Rig } from './live-stream-rig.js';

const [columns, rows] = [32, 24];
const cell = folder.pixelFactor;
const size = { width: columns * cell, height: rows * cell };

/** Opens a stream with latents of one channel, in cells of the size of the model's. */
async function open(changes: Partial<StreamParameters> = {}): Promise<Rig> {
  return setUp(
    { noise: 'move', t_index_list: [10, 30], ...size, ...changes },
    {
      model: {
        folder,
        mixesTimesteps: true,
        latentShape: ({ width, height }) => [1, height / cell, width / cell],
      },
    },
  );
}

/** Lets a frame enter that shows a scene from this place, in cells. */
function enter(stream: LiveStream, frame: number, left: number): void {
  const luma = scene(1, left, 0, { width: columns, height: rows });
  const data = Uint8Array.from({ length: size.width * size.height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % size.width, Math.floor(i / 3 / size.width)];
    return Math.min(255, Math.max(0, luma[Math.floor(y / cell) * columns + Math.floor(x / cell)]));
  });
  const image = { ...size, data };
  stream.push({ frame, ...size, input: { image }, arrivedAt: 0 }, true);
  stream.screen();
  stream.takeEntry();
  stream.follow(image);
  stream.admit(frame, new Float32Array(columns * rows));
}

/** Advances all frames by a stage. @returns the latents of finished ones. */
function advance(stream: LiveStream): readonly Float32Array[] {
  return stream.lanes().flatMap((lane) => {
    const predictions = lane.rows.map(({ input }) => input.map((value) => value / 2));
    return stream.absorb(lane, predictions)?.slice() ?? [];
  });
}

/** Returns the share of the values that are those of another latent, moved to the left. */
function agreement(now: Float32Array, before: Float32Array, left: number): number {
  const equal = now.filter((value, at) => (at % columns) + left < columns && value === before[at + left]);
  return equal.length / (rows * (columns - left));
}

/** Sends frames of a pan to the left by a cell a frame. @returns the latents of all. */
function pan(stream: LiveStream, from: number, to: number): Float32Array[] {
  const finished: Float32Array[] = [];
  for (let frame = from; frame < to; frame++) {
    enter(stream, frame, frame);
    finished.push(...advance(stream));
  }
  while (stream.lanes().length > 0) finished.push(...advance(stream));
  return finished;
}

describe('a stream with noise that moves', () => {
  it('gives each frame the noise moved with its picture, which fixed noise is not', async () => {
    const { stream } = await open();
    const finished = pan(stream, 0, 6);
    assert.equal(finished.length, 6);
    for (const frame of [1, 5]) {
      assert.ok(agreement(finished[frame], finished[0], frame) > 0.9, `frame ${frame}`);
    }
    const { stream: fixed } = await open({ noise: 'fixed' });
    const [first, second] = pan(fixed, 0, 2);
    assert.ok(agreement(second, first, 1) < 0.1);
    assert.deepEqual(second, first);
  });

  it('gives a frame the same noise at all stages, however many are under way with it', async () => {
    const stages = 20;
    const t_index_list = Array.from({ length: stages }, (_, i) => 2 * i);
    // LCM adds noise at each stage; all frames have other noise, as the picture moves by a cell a frame.
    const { stream: together } = await open({ t_index_list });
    const finished = pan(together, 0, stages + 6);
    const { stream: alone } = await open({ t_index_list, denoise: 'sequential' });
    const wanted = [];
    for (let frame = 0; frame < 6; frame++) wanted.push(...pan(alone, frame, frame + 1));
    assert.deepEqual(finished.slice(0, 6), wanted);
  });

  it('continues from a snapshot as it would have, with the frames under way', async () => {
    const start = async (): Promise<LiveStream> => {
      const { stream } = await open();
      for (let frame = 0; frame < 5; frame++) {
        enter(stream, frame, frame);
        advance(stream);
      }
      return stream;
    };
    const whole = await start();
    const state: StreamState = structuredClone(whole.snapshot());
    assert.deepEqual(
      state.noise?.earlier.map(({ ordinal }) => ordinal),
      [4],
    );
    const { stream: resumed } = await open();
    resumed.restore(state);
    assert.deepEqual(pan(resumed, 5, 8), pan(whole, 5, 8));
    const { stream: fixed } = await open({ noise: 'fixed' });
    fixed.restore(state);
    assert.equal(fixed.snapshot().noise, undefined);
  });

  it('keeps the noise in its place when other parameters change', async () => {
    const { stream, configure } = await open();
    const before = pan(stream, 0, 4);
    await configure({ num_inference_steps: 49 });
    await configure({ num_inference_steps: 50 });
    const after = pan(stream, 4, 5);
    assert.ok(agreement(after[0], before[0], 4) > 0.85);
  });

  it('starts over in another size', async () => {
    const { stream, configure } = await open();
    pan(stream, 0, 4);
    await configure({ width: size.width / 2 });
    assert.equal(stream.plan.noise.at(0, 0).length, (rows * columns) / 2);
  });
});
