import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { relativeError } from '../parity/replay.js';
import { advance } from './fake-unet.js';
import { createStream, frameLatent, latentLength, type StreamOptions } from './streams.js';

const flows = [
  'FlowMatchEulerDiscreteScheduler',
  'FlowMatchHeunDiscreteScheduler',
  'PeRFlowScheduler',
] as const;
const frames = 6;

/** Runs frames through a stream, from pictures or from noise. */
function run(options: StreamOptions, from: 'pictures' | 'noise' = 'pictures'): Map<number, Float32Array> {
  const stream = createStream(options);
  const out = new Map<number, Float32Array>();
  for (let next = 0; next < frames || stream.oldestFrame !== null;) {
    if (next < frames && stream.room() > 0) {
      stream.admit(next, from === 'pictures' ? frameLatent(next) : null);
      next += 1;
    }
    for (const [frame, latent] of advance(stream)) out.set(frame, latent);
  }
  return out;
}

function assertSame(got: Map<number, Float32Array>, wanted: Map<number, Float32Array>): void {
  assert.deepEqual([...got.keys()], [...wanted.keys()]);
  for (const [frame, latent] of wanted) assert.ok(relativeError(got.get(frame)!, latent) <= 1e-6, `${frame}`);
}

describe('a stream of a flow', () => {
  it('gives the results of sequential denoising from pure noise, with the noise of steps drawn or by time', () => {
    for (const solver of flows) {
      for (const cfgType of ['none', 'full'] as const) {
        for (const noiseByTime of [false, true]) {
          const options = { solver, cfgType, noiseByTime, eta: 0.8, t_index_list: [0, 13, 26, 38] };
          assertSame(
            run({ ...options, denoise: 'stream' }, 'noise'),
            run({ ...options, denoise: 'sequential' }, 'noise'),
          );
        }
      }
    }
  });

  it('is guided between velocities: at pure noise, too, twice the scale moves twice as far', () => {
    for (const solver of flows) {
      const one = { solver, t_index_list: [0] } as const;
      const at = (guidanceScale: number): Float32Array =>
        run({ ...one, cfgType: 'full', guidanceScale }, 'noise').get(0)!;
      const [two, three, five] = [2, 3, 5].map(at);
      const moved = three.map((value, i) => value - two[i]);
      assert.ok(Math.hypot(...moved) > 0.1, solver);
      assert.ok(
        relativeError(
          five.map((value, i) => value - three[i]),
          moved.map((value) => 2 * value),
        ) < 1e-4,
      );
    }
  });

  it('continues in the middle of a step of Heun, and with noise by time', () => {
    for (const solver of flows) {
      const options = { solver, eta: 0.5, noiseByTime: true, t_index_list: [0, 13, 26] };
      const here = createStream(options);
      for (let frame = 0; frame < 3; frame++) {
        here.admit(frame, frameLatent(frame));
        advance(here);
      }
      const there = createStream(options);
      there.restore(structuredClone(here.snapshot()));
      while (here.oldestFrame !== null) assert.deepEqual(advance(there), advance(here), solver);
      assert.equal(there.oldestFrame, null);
    }
  });

  it('noises a picture along its path: at half of the way, half picture and half noise', () => {
    const stream = createStream({ solver: 'FlowMatchEulerDiscreteScheduler', t_index_list: [24] });
    const { a, b } = stream.plan.solver.stages[0];
    assert.ok(Math.abs(a + b - 1) < 1e-12 && Math.abs(a - 0.5) < 0.02);
    const clean = frameLatent(0);
    stream.admit(0, clean);
    const [{ sample }] = stream.snapshot().frames;
    const z = stream.plan.noise.at(0, 0);
    for (let i = 0; i < latentLength; i++) assert.ok(Math.abs(sample[i] - (a * clean[i] + b * z[i])) < 1e-6);
  });
});
