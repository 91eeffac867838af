import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createNoiseSchedule, type SchedulerConfig } from '../../src/diffusion/schedule.js';
import { repositoryRoot } from '../support/reference.js';

/** The schedule of Stable Diffusion. */
const stableDiffusion = { beta_schedule: 'scaled_linear', beta_start: 0.00085, beta_end: 0.012 } as const;

const schedules: Readonly<Record<string, SchedulerConfig>> = {
  'the default': {},
  scaled_linear: stableDiffusion,
  squaredcos_cap_v2: { beta_schedule: 'squaredcos_cap_v2' },
  sigmoid: { ...stableDiffusion, beta_schedule: 'sigmoid' },
  laplace: { beta_schedule: 'laplace' },
  'zero terminal SNR': { ...stableDiffusion, rescale_betas_zero_snr: true },
  'few timesteps': { ...stableDiffusion, num_train_timesteps: 10 },
  'trained betas': { trained_betas: [0.1, 0.2, 0.3] },
};

describe('createNoiseSchedule', () => {
  for (const [name, config] of Object.entries(schedules)) {
    it(`falls from below 1 to above 0: ${name}`, () => {
      const { alphasCumprod } = createNoiseSchedule(config);
      for (const [t, alphaCumprod] of alphasCumprod.entries()) {
        assert.ok(alphaCumprod > 0 && alphaCumprod < (t === 0 ? 1 : alphasCumprod[t - 1]), `timestep ${t}`);
      }
    });
  }

  it('matches the one of Stable Diffusion', () => {
    const { alphasCumprod } = createNoiseSchedule(stableDiffusion);
    assert.equal(alphasCumprod.length, 1000);
    // sigma_max and sigma_min, as they are known from k-diffusion.
    assert.ok(Math.abs(Math.sqrt((1 - alphasCumprod[999]) / alphasCumprod[999]) - 14.6146) < 1e-4);
    assert.ok(Math.abs(Math.sqrt((1 - alphasCumprod[0]) / alphasCumprod[0]) - 0.0292) < 1e-4);
  });

  it('matches diffusers for every schedule of DDPMScheduler', async () => {
    const file = join(repositoryRoot, 'test/fixtures/schedulers/noise-schedules.json');
    const recorded = JSON.parse(await readFile(file, 'utf8')) as Record<string, readonly number[]>;
    assert.equal(Object.keys(recorded).length, 5);
    for (const [name, wanted] of Object.entries(recorded)) {
      const { alphasCumprod } = createNoiseSchedule({ ...stableDiffusion, beta_schedule: name });
      for (const [i, want] of wanted.entries()) {
        const got = alphasCumprod[100 * i];
        assert.ok(Math.abs(got - want) <= 1e-5 * want, `${name} ${100 * i}: ${got}, not ${want}`);
      }
    }
  });

  it('multiplies the parts of the signal that training left', () => {
    const { alphasCumprod } = createNoiseSchedule({ trained_betas: [0.1, 0.2, 0.3] });
    for (const [t, want] of [0.9, 0.72, 0.504].entries()) assert.ok(Math.abs(alphasCumprod[t] - want) < 1e-6);
  });

  it('runs linear betas from the first to the last', () => {
    const { alphasCumprod } = createNoiseSchedule({ num_train_timesteps: 3, beta_start: 0.1, beta_end: 0.3 });
    for (const [t, want] of [0.9, 0.72, 0.504].entries()) assert.ok(Math.abs(alphasCumprod[t] - want) < 1e-6);
  });

  it('keeps the start and leaves no signal at the end with zero terminal SNR', () => {
    const plain = createNoiseSchedule(stableDiffusion).alphasCumprod;
    const rescaled = createNoiseSchedule({ ...stableDiffusion, rescale_betas_zero_snr: true }).alphasCumprod;
    assert.ok(Math.abs(rescaled[0] - plain[0]) < 1e-9);
    assert.ok(rescaled[999] < 1e-6);
  });

  it('names the known schedules', () => {
    assert.throws(() => createNoiseSchedule({ beta_schedule: 'exp' }), {
      name: 'RangeError',
      message: /scaled_linear.*"exp"/,
    });
  });

  it('is that of DDPM by default', () => {
    const { alphasCumprod } = createNoiseSchedule({});
    assert.equal(alphasCumprod.length, 1000);
    let product = 1;
    for (let t = 0; t < 1000; t++) {
      product *= 1 - (0.0001 + (0.0199 * t) / 999);
      assert.ok(Math.abs(alphasCumprod[t] / product - 1) < 1e-4, `timestep ${t}`);
    }
  });

  it('follows a cosine whose last betas are limited to below 1', () => {
    const { alphasCumprod } = createNoiseSchedule({
      beta_schedule: 'squaredcos_cap_v2',
      num_train_timesteps: 100,
    });
    const cosine = (part: number): number => Math.cos(((part + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
    for (let t = 0; t < 99; t++) {
      const wanted = cosine((t + 1) / 100) / cosine(0);
      assert.ok(Math.abs(alphasCumprod[t] / wanted - 1) < 1e-4, `timestep ${t}`);
    }
    assert.ok(Math.abs(alphasCumprod[99] / alphasCumprod[98] - 0.001) < 1e-6);
  });

  it('rescales the signal so that none is left at the end with zero terminal SNR', () => {
    const betas = { trained_betas: [0.1, 0.2, 0.3] };
    const roots = [0.9, 0.72, 0.504].map(Math.sqrt);
    const [first, middle, last] = roots;
    const { alphasCumprod } = createNoiseSchedule({ ...betas, rescale_betas_zero_snr: true });
    const wanted = (((middle - last) * first) / (first - last)) ** 2;
    assert.ok(Math.abs(alphasCumprod[1] - wanted) < 1e-6);
    assert.ok(alphasCumprod[2] > 0);
  });

  it('has one beta, that of the start, if there is only one timestep', () => {
    const { alphasCumprod } = createNoiseSchedule({
      num_train_timesteps: 1,
      beta_start: 0.25,
      beta_end: 0.5,
    });
    assert.deepEqual([...alphasCumprod], [0.75]);
  });
});
