import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cleanEstimate, eps, quantity, sum, x, z } from '../../../../src/diffusion/solvers/linear/forms.js';
import { linearSolver } from '../../../../src/diffusion/solvers/linear/linear-solver.js';
import { assertClose } from '../../../support/compare.js';

const stage = { timestep: 0, a: 0.6, b: 0.8, inputScale: 1 };
const filled = (value: number, length = 3): Float32Array => new Float32Array(length).fill(value);

describe('forms', () => {
  it('add up weights of the same quantity', () => {
    assert.deepEqual(sum([2, x], [3, eps], [-0.5, sum([4, x], [2, z])]), { sample: 0, eps: 3, noise: -1 });
  });

  it('leave out terms times 0, even if they are not finite', () => {
    assert.deepEqual(sum([0, { sample: Infinity }], [1, eps]), { eps: 1 });
  });

  it('undo noise', () => {
    const estimate = cleanEstimate(stage);
    const [clean, noise] = [1.5, -2];
    const sample = stage.a * clean + stage.b * noise;
    assert.ok(Math.abs(estimate['sample'] * sample + estimate['eps'] * noise - clean) < 1e-12);
  });
});

describe('linearSolver', () => {
  const older = quantity('older');
  const newer = quantity('newer');
  const shifting = linearSolver([stage], 1, [
    { next: sum([1, x], [10, older]), memory: { older: newer, newer: eps } },
  ]);

  it('reads all sources as before the step, even those that it writes to', () => {
    const history = { older: filled(1), newer: filled(2) };
    const sample = filled(5);
    shifting.step({ stage: 0, sample, eps: filled(3), noise: filled(0), history, out: sample });
    assert.deepEqual(sample, filled(15));
    assert.deepEqual(history, { older: filled(2), newer: filled(3) });
  });

  it('keeps slots that a rule does not name', () => {
    const solver = linearSolver([stage, stage], 1, [
      { next: x, memory: { kept: eps } },
      { next: quantity('kept') },
    ]);
    const history = solver.createHistory(3);
    const sample = filled(1);
    solver.step({ stage: 0, sample, eps: filled(7), noise: filled(0), history, out: sample });
    solver.step({ stage: 1, sample, eps: filled(0), noise: filled(0), history, out: sample });
    assert.deepEqual(sample, filled(7));
    assert.deepEqual(history['kept'], filled(7));
  });

  it('treats every value the same, however many there are and wherever they lie', () => {
    const terms = [x, eps, z, quantity('older'), quantity('newer')];
    for (let count = 0; count <= terms.length; count++) {
      const weighted = terms.slice(0, count).map((term, i) => [i + 1, term] as const);
      const solver = linearSolver([stage], 1, [{ next: sum(...weighted), memory: { older, newer } }]);
      const length = 3000;
      const values = [1, 10, 100, 1000, 10_000].map((scale) =>
        Float32Array.from({ length }, (_, i) => scale * Math.sin(i)),
      );
      const out = new Float32Array(length);
      const [sample, noise, fresh, first, second] = values;
      const history = { older: first, newer: second };
      solver.step({ stage: 0, sample, eps: noise, noise: fresh, history, out });
      const want = out.map((_, i) =>
        values.slice(0, count).reduce((total, value, k) => total + (k + 1) * value[i], 0),
      );
      assertClose(out, want, 1e-6, `${count} terms`);
    }
  });

  it('reports whether noise is used', () => {
    assert.equal(linearSolver([stage], 1, [{ next: sum([1, x], [0, z]) }]).addsNoise, false);
    assert.equal(
      linearSolver([stage, stage], 1, [{ next: x }, { next: sum([1, x], [0.1, z]) }]).addsNoise,
      true,
    );
  });

  it('refuses the history of another solver', () => {
    const sample = filled(1);
    assert.throws(
      () => shifting.step({ stage: 0, sample, eps: sample, noise: sample, history: {}, out: sample }),
      RangeError,
    );
  });
});
