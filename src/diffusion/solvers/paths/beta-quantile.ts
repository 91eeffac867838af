/**
 * Returns a quantile of the symmetric beta distribution: the value below which the fraction p of it lies.
 * @param p from 0 to 1. @param shape both parameters of the distribution, above 0.
 */
export function betaQuantile(p: number, shape: number): number {
  // The distribution is symmetric, and the series converges fast below the middle.
  if (p > 0.5) return 1 - betaQuantile(1 - p, shape);
  const wanted = 2 * p * incompleteBeta(0.5, shape);
  let [low, high] = [0, 0.5];
  // Bisection: the function is monotonic, and 60 halvings reach the last bit.
  for (let turn = 0; turn < 60; turn++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, shape) < wanted) low = middle;
    else high = middle;
  }
  return low;
}

/** Returns the incomplete beta function B_x(shape, shape), for x up to 0.5 (DLMF 8.17.7). */
function incompleteBeta(x: number, shape: number): number {
  let term = 1;
  let series = 1 / shape;
  for (let n = 1; n <= 60; n++) {
    term *= ((n - shape) / n) * x;
    series += term / (shape + n);
  }
  return x ** shape * series;
}
