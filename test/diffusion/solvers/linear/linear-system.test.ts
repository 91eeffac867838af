import assert from 'node:assert/strict';
import { test } from 'node:test';
import { solveLinearSystem } from '../../../../src/diffusion/solvers/linear/linear-system.js';
import { assertClose } from '../../../support/compare.js';

test('solveLinearSystem solves small systems, even if a pivot is zero', () => {
  assertClose(solveLinearSystem([[4]], [2]), [0.5], 1e-12, 'one unknown');
  const matrix = [
    [0, 2, 1],
    [1, -1, 0],
    [3, 0, -2],
  ];
  const solution = [1.5, -2, 0.25];
  const right = matrix.map((row) => row.reduce((total, value, i) => total + value * solution[i], 0));
  assertClose(solveLinearSystem(matrix, right), solution, 1e-12, 'three unknowns');
  assert.deepEqual(matrix[0], [0, 2, 1], 'the matrix stays unchanged');
});
