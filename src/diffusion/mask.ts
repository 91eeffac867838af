import type { InFlight } from './in-flight.js';
import type { Latent, Solver } from './types.js';

/** The level of finished latents. */
const finished = { a: 1, b: 0, inputScale: 1 } as const;
/** Shares of noise below this do not show. */
const leastShare = 1e-6;

/**
 * Puts the input back where the mask keeps it, after each step, as the inpainting of diffusers does with an ordinary
 * U-Net (StableDiffusionInpaintPipeline): sample <- (1 - mask) original + mask sample, with the original noised for the
 * stage that is due, and without noise at the end.
 *
 * diffusers noises the original with the noise of the first stage throughout. Here it gets the noise that the frame has
 * at this stage, which differs only for solvers that add noise between stages: mixtures of two independent noises would
 * have less than both, which blurs the edge of a soft mask.
 * @param shiftsStock whether the stock noise of residual guidance changes with the sample. That noise stands for the
 *   sample minus its clean negative estimate, and this estimate stays as it was: so the noise changes by the same.
 */
export function putBack(frame: InFlight, shiftsStock: boolean): void {
  if (frame.kept === undefined) return;
  const { plan, sample, stock, stageIndex } = frame;
  const { mask, original } = frame.kept;
  const stage = plan.solver.stages[stageIndex];
  const { a, b, inputScale } = stage ?? finished;
  const signal = plan.solver.revertsToMean ? 1 : a;
  // Its memory is free between a step and the next U-Net call.
  const noise = stage ? ownNoise(frame, frame.input) : frame.input.fill(0);
  const [ofOriginal, ofNoise] = [signal / inputScale, b / inputScale];
  for (let start = 0; start < sample.length; start += mask.length) {
    for (let k = 0; k < mask.length; k++) {
      const share = mask[k];
      if (share === 1) continue;
      const i = start + k;
      const before = sample[i];
      sample[i] = (1 - share) * (ofOriginal * original[i] + ofNoise * noise[i]) + share * before;
      if (shiftsStock && stage) stock[i] += ((sample[i] - before) * inputScale) / b;
    }
  }
}

/** Writes the noise that a frame would have at its stage, had all noise been predicted exactly, to `out`. */
function ownNoise({ plan, stageIndex, ordinal }: InFlight, out: Latent): Latent {
  const shares = noiseShares(plan.stockSolver)[stageIndex];
  out.fill(0);
  for (let draw = 0; draw <= stageIndex; draw++) {
    const share = shares[draw];
    if (share === 0) continue;
    const z = plan.noise.at(draw, ordinal);
    for (let i = 0; i < out.length; i++) out[i] += share * z[i];
  }
  return out;
}

const known = new WeakMap<Solver, readonly Float64Array[]>();

/**
 * Returns the shares of the draws z_0, z_1, ... in the noise of an exactly predicted sample, for each stage: z_0 alone
 * for deterministic solvers, z_i at stage i for LCM, mixtures for others. Their squares add up to 1.
 * @param solver without bounds of the clean estimate, and one that adds noise if it can.
 */
export function noiseShares(solver: Solver): readonly Float64Array[] {
  const shares = known.get(solver) ?? computeShares(solver);
  known.set(solver, shares);
  return shares;
}

/** Takes a latent of one value per draw, each its share, through the solver: solvers are linear. */
function computeShares(solver: Solver): readonly Float64Array[] {
  const { stages } = solver;
  const history = solver.createHistory(stages.length);
  let eps = new Float64Array(stages.length);
  eps[0] = 1;
  return stages.map((_, i) => {
    if (i > 0) {
      const { b, inputScale } = stages[i - 1];
      const sample = eps.map((share) => (share * b) / inputScale);
      const noise = new Float64Array(stages.length);
      noise[i] = 1;
      solver.step({ stage: i - 1, sample, eps, noise, history, out: sample });
      eps = normalised(sample);
    }
    return eps;
  });
}

/**
 * Returns values in the ratios of these whose squares add up to 1. Small ones become 0: the rest of the former sample
 * that LCM keeps, and rounding.
 */
function normalised(values: Float64Array): Float64Array<ArrayBuffer> {
  const norm = Math.hypot(...values);
  const rounded = values.map((value) => (Math.abs(value) < leastShare * norm ? 0 : value));
  const roundedNorm = Math.hypot(...rounded);
  return rounded.map((value) => value / roundedNorm);
}
