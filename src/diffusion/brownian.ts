import { Gaussian, type Numbers } from './gaussian.js';
import type { Stage } from './types.js';

/**
 * How often the time is halved: ends of a step that lie in one of these last intervals would share a random number. At
 * 1000 steps of Stable Diffusion they are at least 17 of them apart.
 */
const depth = 16;

/**
 * Brownian paths W over times from 0 to 1, one for each of some values, with W(0) = 0: increments over disjoint times
 * are independent and Gaussian, with the length of time as their variance.
 *
 * Any time can be asked for, in any order, and nothing is kept: W is halved down from its value at 1, by Levy's
 * construction, with random numbers that depend on the key and the interval alone (a virtual Brownian tree: Li et al.
 * 2020, section 4; Foster 2020, theorem 6.1.4 without the area of the path).
 */
export class BrownianPath {
  readonly #length: number;
  readonly #key: readonly number[];

  /** @param key integers; equal keys give equal paths. */
  constructor(length: number, ...key: readonly number[]) {
    this.#length = length;
    this.#key = key;
  }

  /** Returns W at a time from 0 to 1. */
  at(time: number): Float64Array {
    const before = new Float64Array(this.#length);
    if (time <= 0) return before;
    // Of the interval from `start` to `end`: W at its start, and how much W changes in it.
    const change = this.#numbers(0, 0);
    let [start, end, node] = [0, 1, 1];
    for (let level = 0; level < depth && start < time && time < end; level++) {
      const middle = (start + end) / 2;
      const isRight = time >= middle;
      const spread = Math.sqrt(end - start) / 2;
      const z = this.#numbers(node, 0);
      for (let i = 0; i < change.length; i++) {
        const left = change[i] / 2 + spread * z[i];
        if (isRight) before[i] += left;
        change[i] = isRight ? change[i] - left : left;
      }
      if (isRight) start = middle;
      else end = middle;
      node = 2 * node + (isRight ? 1 : 0);
    }
    // A bridge within the last interval.
    const [part, rest] = [(time - start) / (end - start), (end - time) / (end - start)];
    const spread = Math.sqrt(part * rest * (end - start));
    const z = spread > 0 ? this.#numbers(node, 1) : change;
    for (let i = 0; i < before.length; i++) before[i] += part * change[i] + spread * z[i];
    return before;
  }

  #numbers(node: number, kind: number): Float64Array {
    return new Gaussian(...this.#key, node, kind).fill(new Float64Array(this.#length));
  }
}

/**
 * Returns the time of a noise level on a Brownian path: 0 without noise, 1 without signal. It depends on the ratio of
 * noise to signal alone, so that it is the same for all solvers and steps.
 */
export function brownianTime({ a, b }: Pick<Stage, 'a' | 'b'>): number {
  return Math.atan2(b, a) / (Math.PI / 2);
}

/**
 * Returns unit Gaussian noise for the step that ends at a stage: the change of a path on the way, for a length of 1.
 * @param times of the stages, falling; after the last, a step ends at time 0.
 */
export function stepNoise(path: BrownianPath, times: readonly number[], stage: number): Numbers {
  const [from, to] = [times[stage - 1] ?? 0, times[stage] ?? 0];
  const [start, end] = [path.at(from), path.at(to)];
  const length = Math.sqrt(from - to);
  let next = 0;
  return {
    next(): number {
      const value = (start[next] - end[next]) / length;
      next += 1;
      return value;
    },
  };
}
