/**
 * The quantile function of the symmetric beta distribution: the place below which the part p of it lies.
 * @param p from 0 to 1. @param shape both parameters of the distribution, above 0.
 */
export function betaQuantile(p: number, shape: number): number {
  if (p <= 0 || p >= 1) return p <= 0 ? 0 : 1;
  let [low, high] = [0, 1];
  // The distribution function only rises: each turn halves the interval, down to the last bit.
  for (let turn = 0; turn < 60; turn++) {
    const middle = (low + high) / 2;
    if (betaCumulative(middle, shape) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularised incomplete beta function I_x(shape, shape) (DLMF 8.17.22, by Lentz's method). */
function betaCumulative(x: number, shape: number): number {
  // The fraction converges fast below the middle; the distribution is symmetric.
  if (x > 0.5) return 1 - betaCumulative(1 - x, shape);
  const logFront = shape * Math.log(x * (1 - x)) + logGamma(2 * shape) - 2 * logGamma(shape);
  const tiny = 1e-300;
  let c = 1;
  let d = 1 / Math.max(tiny, 1 - x * 2 * shape * (1 / (shape + 1)));
  let fraction = d;
  for (let m = 1; m < 200; m++) {
    const even = (m * (shape - m) * x) / ((shape + 2 * m - 1) * (shape + 2 * m));
    const odd = (-(shape + m) * (2 * shape + m) * x) / ((shape + 2 * m) * (shape + 2 * m + 1));
    let factor = 1;
    for (const term of [even, odd]) {
      d = 1 / nonZero(1 + term * d, tiny);
      c = nonZero(1 + term / c, tiny);
      factor = c * d;
      fraction *= factor;
    }
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return (Math.exp(logFront) * fraction) / shape;
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value;
}

/** Lanczos's approximation of log(Gamma(z)) for z > 0, with g = 7 and nine terms. */
function logGamma(z: number): number {
  const [first, ...terms] = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ] as const;
  const base = z + 6.5;
  const series = terms.reduce<number>((sum, term, i) => sum + term / (z + i), first);
  return 0.5 * Math.log(2 * Math.PI) + (z - 0.5) * Math.log(base) - base + Math.log(series);
}
