import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { solverNames, type SolverName } from '@millrace/protocol';
import { noiseShares } from '../../src/diffusion/mask.js';
import { predictedNoise } from '../../src/diffusion/prediction.js';
import type { Stage } from '../../src/diffusion/types.js';
import { assertClose } from '../support/compare.js';
import { advance, predict } from './fake-unet.js';
import { anySettings, solverOf } from './solvers/solver-settings.js';
import { createStream, frameLatent, latentLength, outputFor, type StreamOptions } from './streams.js';
import { cases } from '../support/properties.js';

/** Masks of the test streams, whose latents are 2x3 with 4 channels. */
const all = Float32Array.of(1, 1, 1, 1, 1, 1);
const nothing = new Float32Array(6);
const left = Float32Array.of(1, 0, 0, 1, 0, 0);
const right = Float32Array.of(0, 0, 1, 0, 0, 1);
const soft = Float32Array.of(0, 0.2, 0.5, 0.7, 0.9, 1);

const lists = [[32], [18, 26, 35, 45]];
const guidanceTypes = ['none', 'full', 'self', 'initialize'] as const;
/** Those that add no noise between stages. */
const deterministic = solverNames.filter((solver) => {
  const solverAlone = createStream({ solver }).plan.solver;
  return !solverAlone.addsNoise;
});

/** PeRFlow has the noise levels of the training at the starts of its windows alone. */
const windowStarts = [13, 26, 38];

/** Runs frames that follow each other through a stream; `maskOf` gives their masks. @returns their latents. */
function run(
  options: StreamOptions,
  maskOf: (frame: number) => Float32Array | null,
  frames: readonly number[] = [0, 1, 2],
): Map<number, Float32Array> {
  const stream = createStream(options);
  const out = new Map<number, Float32Array>();
  for (const frame of frames) {
    stream.admit(frame, frameLatent(frame), {}, maskOf(frame));
    for (const [id, latent] of advance(stream)) out.set(id, latent);
  }
  while (stream.oldestFrame !== null) for (const [id, latent] of advance(stream)) out.set(id, latent);
  return out;
}

/** Returns the values of a latent where a mask has this value. */
function part(latent: Float32Array, mask: Float32Array, value: number): Float32Array {
  return latent.filter((_, i) => mask[i % mask.length] === value);
}

describe('a mask', () => {
  it('of ones changes no bit of any stream', () => {
    for (const solver of solverNames) {
      for (const cfgType of guidanceTypes) {
        for (const t_index_list of lists) {
          const options = { solver, cfgType, t_index_list, feedback: 0.3 };
          assert.deepEqual(
            run(options, () => all),
            run(options, () => null),
          );
        }
      }
    }
  });

  it('of zeros gives the input, with every solver', () => {
    for (const solver of solverNames) {
      for (const t_index_list of lists) {
        const results = run({ solver, t_index_list, feedback: 0.3 }, () => nothing);
        for (const [frame, latent] of results) assert.deepEqual(latent, frameLatent(frame));
      }
    }
  });

  it('keeps the input where it is 0, and only there', () => {
    for (const solver of solverNames) {
      for (const [frame, latent] of run({ solver }, () => left)) {
        const input = frameLatent(frame);
        assert.deepEqual(part(latent, left, 0), part(input, left, 0));
        const changed = part(input, left, 1);
        assert.ok(part(latent, left, 1).every((value, i) => value !== changed[i]));
      }
    }
  });

  it('belongs to one frame: others under way have their own, or none', () => {
    const masks = [left, null, right, soft, nothing];
    const together = run({ cfgType: 'self' }, (frame) => masks[frame] ?? null, [0, 1, 2, 3, 4]);
    assert.equal(together.size, masks.length);
    for (const [frame, mask] of masks.entries()) {
      // The noise does not drift, so the place in the stream does not matter.
      const alone = run({ cfgType: 'self' }, () => mask, [frame]);
      assert.deepEqual(together.get(frame), alone.get(frame), `frame ${frame}`);
    }
  });

  it('is part of the state that continues elsewhere', () => {
    const here = createStream({ t_index_list: [18, 26, 35] });
    const masks = [left, soft];
    for (const [frame, mask] of masks.entries()) {
      here.admit(frame, frameLatent(frame), {}, mask);
      advance(here);
    }
    const there = createStream({ t_index_list: [18, 26, 35] });
    there.restore(structuredClone(here.snapshot()));
    for (let call = 0; call < 3; call++) assert.deepEqual(advance(there), advance(here));
    assert.equal(here.oldestFrame, null);
  });

  it('has no effect on a frame that starts from noise, and none on the next frame', () => {
    const [masked, plain] = [createStream({ t_index_list: [32] }), createStream({ t_index_list: [32] })];
    for (const latent of [null, frameLatent(0), frameLatent(1)]) {
      const isLast = latent !== null && latent[0] === frameLatent(1)[0];
      masked.admit(0, latent, {}, isLast ? null : left);
      plain.admit(0, latent);
      const [[, got] = []] = advance(masked);
      const [[, wanted] = []] = advance(plain);
      if (latent === null || isLast) assert.deepEqual(got, wanted);
      else assert.notDeepEqual(got, wanted);
    }
  });

  it('keeps feedback out of what stays', () => {
    const options = { t_index_list: [32], feedback: 0.6 };
    const [, second] = run(options, () => left, [0, 1]).values();
    const [, withoutFeedback] = run({ ...options, feedback: 0 }, () => left, [0, 1]).values();
    assert.deepEqual(part(second, left, 0), part(frameLatent(1), left, 0));
    assert.notDeepEqual(part(second, left, 1), part(withoutFeedback, left, 1));
    const stream = createStream(options);
    stream.admit(0, frameLatent(0), {}, left);
    advance(stream);
    stream.admit(1, frameLatent(1), {}, left);
    const plain = createStream(options);
    plain.admit(0, frameLatent(1));
    const [entered, alone] = [stream, plain].map((each) => each.snapshot().frames[0].sample);
    assert.deepEqual(part(entered, left, 0), part(alone, left, 0), 'from the first stage on');
  });
});

/**
 * Inpaints as StableDiffusionInpaintPipeline of diffusers 0.35 does with a U-Net of 4 channels: after each step
 * `latents = (1 - mask) * init + mask * latents`, with `init` noised for the next timestep except after the last.
 * @param noiseOf returns the noise of the input at a stage; in diffusers the same for all.
 */
function inpaint(
  options: StreamOptions,
  input: Float32Array,
  mask: Float32Array,
  noiseOf: (stage: number) => Float32Array,
): Float64Array {
  const { plan, steering } = createStream(options);
  const { solver } = plan;
  const noised = (stage: number): Float64Array => {
    const { a, b, inputScale } = solver.stages[stage];
    const z = noiseOf(stage);
    return Float64Array.from(input, (x, i) => (a * x + b * z[i]) / inputScale);
  };
  const history = solver.createHistory(latentLength);
  let latents = noised(0);
  for (const [i, stage] of solver.stages.entries()) {
    const row = {
      role: 'positive',
      stage,
      input: Float32Array.from(latents, (x) => x * stage.inputScale),
      conditioning: steering.positive,
    } as const;
    const eps = new Float64Array(latentLength);
    predictedNoise(plan.prediction, stage, latents, predict(row), eps);
    const noise = plan.noise.at(i + 1, 0);
    solver.step({ stage: i, sample: latents, eps, noise, history, out: latents });
    const init = i + 1 < solver.stages.length ? noised(i + 1) : Float64Array.from(input);
    latents = latents.map((x, k) => (1 - mask[k % mask.length]) * init[k] + mask[k % mask.length] * x);
  }
  return latents;
}

describe('inpainting', () => {
  const input = frameLatent(0);

  it('equals that of diffusers with solvers that add no noise', () => {
    assert.ok(deterministic.length >= 6, deterministic.join());
    for (const solver of deterministic) {
      for (const mask of [left, soft]) {
        const options = { solver };
        const z = createStream(options).plan.noise.at(0, 0);
        const wanted = inpaint(options, input, mask, () => z);
        const got = run(options, () => mask, [0]).get(0);
        assert.ok(got);
        assertClose(got, wanted, 1e-5, solver);
      }
    }
  });

  it('gives the input the noise that LCM adds to the frame, at each stage', () => {
    for (const mask of [left, soft]) {
      const { noise } = createStream().plan;
      const wanted = inpaint({}, input, mask, (stage) => noise.at(stage, 0));
      const got = run({}, () => mask, [0]).get(0);
      assert.ok(got);
      assertClose(got, wanted, 1e-5, 'latent');
    }
  });
});

/** Advances a stream of one frame with the exact noise of its sample, given its clean latent. */
function advanceExactly(stream: ReturnType<typeof createStream>, clean: Float32Array): Float32Array | null {
  const [lane] = stream.lanes();
  const predictions = lane.rows.map(({ input, stage }) => {
    const noise = input.map((x, i) => (x - stage.a * clean[i]) / stage.b);
    return outputFor(stream.plan, stage, input, noise);
  });
  return stream.absorb(lane, predictions)?.slice() ?? null;
}

describe('the noise of what stays', () => {
  it('is that of the frame, with every solver: if all is predicted exactly, a mask changes nothing', () => {
    const random = { eta: 1 } as const;
    // Steps of Euler and Maruyama do not keep the level of noise exactly.
    for (const solver of solverNames.filter((name) => name !== 'EulerMaruyamaScheduler')) {
      for (const cfgType of ['none', 'self'] as const) {
        // Guidance at scale 1 carries its stock along, and changes no prediction.
        const own = solver === 'PeRFlowScheduler' && { t_index_list: windowStarts };
        const options = { solver, cfgType, guidanceScale: 1, ...random, ...own };
        const [masked, plain] = [createStream(options), createStream(options)];
        const clean = frameLatent(3);
        masked.admit(0, clean, {}, soft);
        plain.admit(0, clean);
        const stages = plain.plan.solver.stages.length;
        for (let stage = 1; stage < stages; stage++) {
          for (const each of [masked, plain]) advanceExactly(each, clean);
          const [got, wanted] = [masked, plain].map((each) => each.snapshot().frames[0]);
          assertClose(got.sample, wanted.sample, 1e-4, `${solver}, sample at stage ${stage}`);
          if (cfgType === 'self') assertClose(got.stock, wanted.stock, 1e-3, `${solver}, stock at ${stage}`);
        }
      }
    }
  });

  it('has shares of the draws whose squares add up to 1, with any settings', () => {
    fc.assert(
      fc.property(anySettings, ({ config, options }) => {
        const solver = solverOf({ config, options: { ...options, do_add_noise: true } });
        for (const [stage, shares] of noiseShares(solver).entries()) {
          const norm = shares.reduce((sum, share) => sum + share ** 2, 0);
          assert.ok(Math.abs(norm - 1) < 1e-9, `${options.solver}, stage ${stage}: ${norm}`);
          assert.ok(
            shares.subarray(stage + 1).every((share) => share === 0),
            'no draw of a later stage',
          );
        }
      }),
      { numRuns: cases(300) },
    );
  });

  it('is the first draw without added noise, and the latest with LCM', () => {
    const sharesOf = (solver: SolverName): readonly (readonly number[])[] =>
      noiseShares(createStream({ solver }).plan.solver).map((shares) => Array.from(shares));
    for (const solver of deterministic) {
      for (const [first, ...others] of sharesOf(solver)) {
        assert.deepEqual([first, ...others], [1, ...others.map(() => 0)]);
      }
    }
    const [rows] = [sharesOf('LCMScheduler')];
    for (const [stage, shares] of rows.entries()) {
      assert.deepEqual(
        shares,
        rows.map((_, draw) => (draw === stage ? 1 : 0)),
      );
    }
  });
});

describe('the stock noise', () => {
  /** Returns a / inputScale times the input plus b / inputScale times the noise. */
  const mixed = ({ a, b, inputScale }: Stage, input: Float32Array, noise: Float32Array): Float32Array =>
    input.map((x, i) => (a * x + b * noise[i]) / inputScale);

  it('of self guidance stays what is in the sample besides the input', () => {
    for (const solver of ['DDIMScheduler', 'EulerDiscreteScheduler', 'LCMScheduler'] as const) {
      const stream = createStream({ solver, cfgType: 'self' });
      const input = frameLatent(0);
      stream.admit(0, input, {}, soft);
      for (;;) {
        const [frame] = stream.snapshot().frames;
        const wanted = mixed(stream.plan.solver.stages[frame.stageIndex], input, frame.stock);
        assertClose(frame.sample, wanted, 1e-4, `${solver} at stage ${frame.stageIndex}`);
        if (advance(stream).length > 0) break;
      }
    }
  });
});
