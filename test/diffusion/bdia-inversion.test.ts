import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BdiaInversion, type NoisePredictor } from '../../src/diffusion/bdia-inversion.js';
import { createNoiseSchedule } from '../../src/diffusion/schedule.js';
import { SolverError } from '../../src/diffusion/solver-options.js';
import { assertClose } from '../support/compare.js';
import { stableDiffusion } from './solvers/solver-settings.js';

const schedule = createNoiseSchedule(stableDiffusion);
const clean = Float64Array.from({ length: 6 }, (_, i) => Math.sin(2 * i));

/** Predicts as a U-Net does: in single precision. */
function predictor(prompt: number, calls: number[] = []): NoisePredictor {
  return (sample, timestep) => {
    calls.push(timestep);
    return Promise.resolve(
      Float32Array.from(sample, (x) => 0.5 * Math.tanh(x + prompt) + 0.2 * Math.fround(x)),
    );
  };
}

describe('inversion', () => {
  it('leads back to the same latent under the same prompt, and to another under another', async () => {
    for (const [steps, gamma] of [
      [2, 1],
      [7, 0.9],
      [50, 1],
    ] as const) {
      const inversion = new BdiaInversion(schedule, steps, gamma);
      const pair = await inversion.invert(clean, predictor(0.3));
      assertClose(await inversion.sample(pair, predictor(0.3)), clean, 1e-6, `${steps} steps`);
      const other = await inversion.sample(pair, predictor(0.9));
      assert.ok(other.some((value, i) => Math.abs(value - clean[i]) > 1e-3));
    }
  });

  it('asks at the same timesteps both ways, once less than there are steps', async () => {
    const inversion = new BdiaInversion(schedule, 4, 1);
    const [up, down]: number[][] = [[], []];
    const pair = await inversion.invert(clean, predictor(0, up));
    await inversion.sample(pair, predictor(0, down));
    assert.deepEqual(up, [0, 250, 500]);
    assert.deepEqual(down, [500, 250, 0]);
  });

  it('refuses what cannot be inverted', () => {
    const refused = (field: string) => (error: unknown) =>
      error instanceof SolverError && error.field === field;
    for (const gamma of [0, -1, 1.1, Number.NaN])
      assert.throws(() => new BdiaInversion(schedule, 10, gamma), refused('gamma'));
    for (const steps of [1, 2.5, 1001])
      assert.throws(() => new BdiaInversion(schedule, steps, 1), refused('steps'));
  });
});
