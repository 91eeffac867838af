import type { Values } from './types.js';

/**
 * How two prompts A and B are composed: `and` keeps both equally likely, `or` follows the likelier one, `mean` takes
 * the mean of their predictions.
 */
export interface Composition {
  readonly type: 'and' | 'or' | 'mean';
  /** `or`: how sharply the likelier prompt is chosen, from 0 (the mean). */
  readonly temperature: number;
  /** `or`: logarithm of the prior odds of A. */
  readonly bias: number;
  /** `and`: by how much log q_B is ahead of log q_A at the end. */
  readonly lift: number;
  /** Whether `or` adds the squared prediction to the density, as the authors' script does, against their theorem. */
  readonly publishedSign?: boolean;
}

/** Estimates of the logarithms of both densities along the way of a sample; only their difference matters. */
export interface Densities {
  logA: number;
  logB: number;
}

/** The step that a prediction is composed for, of a sample x0 + sigma z. */
export interface ComposedStep {
  readonly sigma: number;
  /** Of sigma, below 0. */
  readonly change: number;
  /** Number of steps. */
  readonly steps: number;
  readonly guidance: number;
  /** Predicted noise under both prompts, and under the negative one. */
  readonly a: Values;
  readonly b: Values;
  readonly negative: Values;
  /**
   * The noise that the step adds (Euler-Maruyama, dx = 2 change eps + sqrt(2 |change| sigma) noise); or, for a step of
   * Euler without noise, the divergences of both predictions in x.
   */
  readonly random:
    { readonly noise: Values } | { readonly divergenceA: number; readonly divergenceB: number };
}

/**
 * Composes the predictions under two prompts (SuperDiff: Skreta et al. 2024, theorem 1, algorithm 1), and follows the
 * densities of the sample.
 * @param out receives the predicted noise of the step.
 * @returns the weight of A, which may lie outside of 0 to 1.
 */
export function compose(
  composition: Composition,
  step: ComposedStep,
  densities: Densities,
  out: Values,
): number {
  const { a, b, negative, guidance } = step;
  const kappa = weightOfA(composition, step, densities);
  for (let i = 0; i < out.length; i++) {
    out[i] = negative[i] + guidance * (b[i] - negative[i] + kappa * (a[i] - b[i]));
  }
  const sign = composition.type === 'or' && composition.publishedSign === true ? 1 : -1;
  densities.logA += densityChange(step, a, out, 'A', sign);
  densities.logB += densityChange(step, b, out, 'B', sign);
  return kappa;
}

function weightOfA(
  { type, temperature, bias, lift }: Composition,
  step: ComposedStep,
  now: Densities,
): number {
  if (type === 'mean') return 1 / 2;
  if (type === 'or') {
    const ahead = temperature * (now.logB - now.logA - bias);
    return 1 / (1 + Math.exp(Math.min(Math.max(ahead, -700), 700)));
  }
  const { sigma, change, steps, guidance, a, b, negative, random } = step;
  const factor = 'noise' in random ? 2 * change : 1;
  const jump = 'noise' in random ? Math.sqrt(-2 * change * sigma) : 0;
  // Inner products with the difference of both predictions.
  let [square, both, way] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] - b[i];
    const base = negative[i] + guidance * (b[i] - negative[i]);
    square += difference ** 2;
    both += difference * (a[i] + b[i]);
    way += difference * (factor * base + ('noise' in random ? jump * random.noise[i] : 0));
  }
  // Equal predictions have no order.
  if (square === 0) return 1 / 2;
  if ('noise' in random) {
    return (change * both - way + (sigma * lift) / steps) / (factor * guidance * square);
  }
  const divergence = sigma * (random.divergenceB - random.divergenceA);
  return (divergence + both - way + (sigma * lift) / (change * steps)) / (guidance * square);
}

/** Returns the change of log q of a prompt while the sample takes the step along eps. */
function densityChange(
  { sigma, change, random }: ComposedStep,
  own: Values,
  eps: Values,
  prompt: 'A' | 'B',
  sign: number,
): number {
  let [square, way] = [0, 0];
  if (!('noise' in random)) {
    for (let i = 0; i < own.length; i++) way += own[i] * (own[i] - eps[i]);
    return change * (way / sigma - random[`divergence${prompt}`]);
  }
  const jump = Math.sqrt(-2 * change * sigma);
  for (let i = 0; i < own.length; i++) {
    square += own[i] ** 2;
    way += own[i] * (2 * change * eps[i] + jump * random.noise[i]);
  }
  return (sign * -change * square - way) / sigma;
}
