import assert from 'node:assert/strict';
import { it } from 'node:test';
import { betaQuantile } from '../../../../src/diffusion/solvers/paths/beta-quantile.js';

const parts = [1e-6, 0.01, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99];

function assertNear(got: number, wanted: number, where: string): void {
  assert.ok(Math.abs(got - wanted) <= 1e-14 + 1e-12 * wanted, `${where}: ${got}, not ${wanted}`);
}

it('betaQuantile is that of the arcsine distribution at a shape of a half, and uniform at 1', () => {
  for (const p of parts) {
    assertNear(betaQuantile(p, 0.5), Math.sin((Math.PI * p) / 2) ** 2, `${p}`);
    assertNear(betaQuantile(p, 1), p, `${p}`);
  }
});

it('betaQuantile inverts the distribution functions that are polynomials', () => {
  for (const p of parts) {
    const two = betaQuantile(p, 2);
    assertNear(two ** 2 * (3 - 2 * two), p, `2, ${p}`);
    const three = betaQuantile(p, 3);
    assertNear(three ** 3 * (10 - 15 * three + 6 * three ** 2), p, `3, ${p}`);
  }
});

it('betaQuantile ends at 0 and 1, and is a half in the middle', () => {
  for (const shape of [0.1, 0.6, 1, 5]) {
    assert.equal(betaQuantile(0, shape), 0);
    assert.equal(betaQuantile(1, shape), 1);
    assertNear(betaQuantile(0.5, shape), 0.5, `${shape}`);
  }
});
