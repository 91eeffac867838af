import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Solver } from '../../../src/diffusion/types.js';
import { assertClose } from '../../support/compare.js';
import { anySettings, createHistory, latent, latents, solverOf } from './solver-settings.js';
import { cases } from '../../support/properties.js';

const length = 3;

/** All inputs of a step. */
interface Given {
  readonly sample: Float64Array;
  readonly eps: Float64Array;
  readonly noise: Float64Array;
  readonly history: Readonly<Record<string, Float64Array>>;
}

function blend(p: number, first: Given, q: number, second: Given): Given {
  const mix = (u: Float64Array, v: Float64Array): Float64Array => u.map((value, i) => p * value + q * v[i]);
  return {
    sample: mix(first.sample, second.sample),
    eps: mix(first.eps, second.eps),
    noise: mix(first.noise, second.noise),
    history: Object.fromEntries(
      Object.entries(first.history).map(([slot, value]) => [slot, mix(value, second.history[slot])]),
    ),
  };
}

test('a step is linear in the sample, the prediction, the noise and the history together', () => {
  const factor = fc.double({ min: -2, max: 2, noNaN: true });
  fc.assert(
    fc.property(anySettings, fc.nat(), factor, factor, latents(length), (settings, at, p, q, draw) => {
      const solver = solverOf(settings);
      const stage = at % solver.stages.length;
      const given = (): Given => ({
        sample: draw(),
        eps: draw(),
        noise: draw(),
        history: Object.fromEntries(Object.keys(createHistory(solver, length)).map((slot) => [slot, draw()])),
      });
      /** Returns the next sample and the history after it. */
      const step = ({ sample, eps, noise, history }: Given): Given => {
        const out = new Float64Array(length);
        const after = structuredClone(history);
        solver.step({ stage, sample, eps, noise, history: after, out });
        return { sample: out, eps, noise, history: after };
      };
      const [first, second] = [given(), given()];
      const together = step(blend(p, first, q, second));
      const apart = blend(p, step(first), q, step(second));
      assertClose(together.sample, apart.sample, 1e-9, 'sample');
      for (const [slot, value] of Object.entries(together.history)) {
        assertClose(value, apart.history[slot], 1e-9, slot);
      }
    }),
    { numRuns: cases(300) },
  );
});

/** Checks any solver with a sample to start from, and the prediction and noise of every step. */
function forAnySolver(
  check: (solver: Solver, given: Record<'start' | 'eps' | 'noise', Float64Array>) => void,
): void {
  const any = latent(length);
  const given = fc.record({ start: any, eps: any, noise: any });
  fc.assert(
    fc.property(anySettings, given, (settings, values) => check(solverOf(settings), values)),
    { numRuns: cases(200) },
  );
}

test('out may be the sample, and no other input is written to', () => {
  forAnySolver((solver, { start, eps, noise }) => {
    const separate = createHistory(solver, length);
    const shared = createHistory(solver, length);
    const [epsBefore, noiseBefore] = [eps.slice(), noise.slice()];
    let sample = start;
    const reused = start.slice();
    for (let stage = 0; stage < solver.stages.length; stage++) {
      const sampleBefore = sample.slice();
      const out = new Float64Array(length);
      solver.step({ stage, sample, eps, noise, history: separate, out });
      assert.deepEqual(sample, sampleBefore);
      sample = out;
      solver.step({ stage, sample: reused, eps, noise, history: shared, out: reused });
      assert.deepEqual(reused, out);
      assert.deepEqual(shared, separate);
    }
    assert.deepEqual([eps, noise], [epsBefore, noiseBefore]);
  });
});

test('at the first stage the history counts as empty, and its arrays are reused', () => {
  forAnySolver((solver, { start, eps, noise }) => {
    const fresh = createHistory(solver, length);
    const used = createHistory(solver, length);
    for (const value of Object.values(used)) value.fill(Number.NaN);
    const kept = { ...used };
    const [sample, other] = [start.slice(), start.slice()];
    for (let stage = 0; stage < solver.stages.length; stage++) {
      solver.step({ stage, sample, eps, noise, history: fresh, out: sample });
      solver.step({ stage, sample: other, eps, noise, history: used, out: other });
      assert.deepEqual(other, sample);
      assert.ok(sample.every(Number.isFinite), `finite after stage ${stage}`);
    }
    for (const [slot, value] of Object.entries(used)) assert.equal(value, kept[slot]);
  });
});
