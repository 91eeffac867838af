/**
 * The quantile function of the symmetric beta distribution: the place below which the part p of it lies.
 * @param p from 0 to 1. @param shape both parameters of the distribution, above 0.
 */
export function betaQuantile(p: number, shape: number): number {
  // The distribution is symmetric, and the series converges fast below the middle.
  if (p > 0.5) return 1 - betaQuantile(1 - p, shape);
  const wanted = 2 * p * incompleteBeta(0.5, shape);
  let [low, high] = [0, 0.5];
  // The function only rises: each turn halves the interval, down to the last bit.
  for (let turn = 0; turn < 60; turn++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, shape) < wanted) low = middle;
    else high = middle;
  }
  return low;
}

/** The incomplete beta function B_x(shape, shape), for x up to a half (DLMF 8.17.7). */
function incompleteBeta(x: number, shape: number): number {
  let term = 1;
  let series = 1 / shape;
  for (let n = 1; n <= 60; n++) {
    term *= ((n - shape) / n) * x;
    series += term / (shape + n);
  }
  return x ** shape * series;
}
