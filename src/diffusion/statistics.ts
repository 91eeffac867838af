/**
 * Empirical statistics of a model for DPM-Solver-v3 (Zheng et al. 2023, section 3.1): functions of lambda = log(a / b)
 * at evenly spaced values from that of the last training timestep to that of timestep 0. They hold for the model and the
 * guidance that they were measured with.
 */
export interface ModelStatistics {
  /** 1: pooled over all elements of a latent; otherwise one set for each element. */
  readonly elements: number;
  /** [values of lambda, elements]. */
  readonly l: Float64Array;
  readonly s: Float64Array;
  readonly b: Float64Array;
}

/** Returns statistics of the same size that say nothing: with them, DPM-Solver-v3 is DPM-Solver++. */
export function blankStatistics({ elements, l, s, b }: ModelStatistics): ModelStatistics {
  return { elements, l: l.map(() => 1), s: s.map(() => 0), b: b.map(() => 0) };
}
