import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSolver, SolverError, type SolverOptions } from '../../src/diffusion/solvers/create.js';
import { Stream } from '../../src/diffusion/stream.js';
import { assertClose } from '../support/compare.js';
import { advance } from './fake-unet.js';
import { defaultOptions } from './solvers/solver-settings.js';
import { createStream, frameLatent, latentLength } from './streams.js';

const config = { mean_reverting: { max_sigma: 50, T: 100, eps: 0.005 } };
const usual = { solver: 'DPMSolverMultistepScheduler', num_inference_steps: 8 } as const;

const create = (options: Partial<SolverOptions> = {}) =>
  createSolver(config, { ...defaultOptions, ...usual, ...options });

function streamOf(denoise: 'stream' | 'sequential'): Stream {
  const { plan, steering, admission } = createStream();
  const solver = create({ algorithm_type: 'sde-dpmsolver++' });
  return new Stream({ ...plan, solver, stockSolver: solver }, steering, { ...admission, denoise });
}

function finish(stream: Stream, mask: Float32Array | null = null): Float32Array[] {
  const results: Float32Array[] = [];
  for (let next = 0; next < 4 || stream.oldestFrame !== null;) {
    for (let room = stream.room(); room > 0 && next < 4; room--)
      stream.admit(next, frameLatent(next++), {}, mask);
    results.push(...advance(stream).map(([, latent]) => latent));
  }
  return results;
}

describe('a mean-reverting model', () => {
  it('starts at the input with noise, and reaches an exactly predicted picture', () => {
    const solver = create();
    const [{ a, b }] = solver.stages;
    const [clean, mean] = [0, 7].map((frame) => frameLatent(frame));
    const sample = mean.map((value, i) => a * clean[i] + (1 - a) * value + b * Math.cos(i));
    const history = { ...solver.createHistory(latentLength), mean };
    for (const [stage, level] of solver.stages.entries()) {
      const eps = Float64Array.from(sample, (value, i) => {
        return (value - level.a * clean[i] - (1 - level.a) * mean[i]) / level.b;
      });
      solver.step({ stage, sample, eps, noise: sample, history, out: sample });
    }
    assertClose(sample, clean, 0.01, 'picture');
    const stream = streamOf('stream');
    stream.admit(0, clean);
    const [{ sample: start, history: kept }] = stream.snapshot().frames;
    const noise = stream.plan.noise.at(0, 0);
    assertClose(
      start,
      clean.map((value, i) => value + b * noise[i]),
      1e-6,
      'start',
    );
    assert.deepEqual(kept['mean'], clean);
  });

  it('gives the same in the stream batch and one after the other, and keeps what a mask keeps', () => {
    const wanted = finish(streamOf('sequential'));
    for (const [i, latent] of finish(streamOf('stream')).entries()) {
      assertClose(latent, wanted[i], 1e-6, `frame ${i}`);
    }
    const kept = finish(streamOf('stream'), new Float32Array(6));
    for (const [i, latent] of kept.entries()) assert.deepEqual(latent, frameLatent(i));
  });

  it('takes no other solver, and no third order of the SDE', () => {
    const refused = (field: string, options: Partial<SolverOptions>): void =>
      assert.throws(
        () => create(options),
        (error) => error instanceof SolverError && error.field === field,
      );
    refused('solver', { solver: 'LCMScheduler' });
    refused('solver_order', { solver_order: 3, algorithm_type: 'sde-dpmsolver' });
  });
});
