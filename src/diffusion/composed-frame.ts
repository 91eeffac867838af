import { isActive, type Guidance } from './guidance.js';
import type { InFlight } from './in-flight.js';
import { predictedNoise } from './prediction.js';
import { compose, type Composition, type Densities } from './superposition.js';
import type { History, Latent } from './types.js';

/** What the step after a composed prediction needs to be known of. */
interface Composing {
  /** That the step adds. */
  readonly noise: Latent;
  readonly guidance: Guidance;
  readonly composition: Composition;
}

/**
 * Replaces the predicted noise of a frame by that of two composed prompts, with full guidance or none. The densities go
 * with the frame, in its history.
 * @param output of the U-Net for the second prompt; those for the others have been converted.
 */
export function composeFrame(
  frame: InFlight,
  output: Latent,
  { noise, guidance, composition }: Composing,
): void {
  const { plan, stageIndex, sample, eps, negative, history } = frame;
  const { stages } = plan.solver;
  const stage = stages[stageIndex];
  const next = stages[stageIndex + 1];
  frame.composed ??= { second: new Float64Array(eps.length), eps: new Float64Array(eps.length) };
  const { second, eps: together } = frame.composed;
  predictedNoise(plan.prediction, stage, sample, output, second);
  const sigma = stage.b / stage.a;
  const isGuided = isActive(guidance);
  const step = {
    sigma,
    change: (next ? next.b / next.a : 0) - sigma,
    steps: stages.length,
    guidance: isGuided ? guidance.scale : 1,
    a: eps,
    b: second,
    // Without guidance it does not count.
    negative: isGuided ? negative : second,
    random: { noise },
  };
  const densities = densitiesIn(stageIndex === 0 ? {} : history);
  // The last step adds no noise, along which the weights of `and` are computed.
  const isLast = next === undefined && composition.type === 'and';
  compose(isLast ? { ...composition, type: 'mean' } : composition, step, densities, together);
  eps.set(together);
  history['log_a'] = densities.logA;
  history['log_b'] = densities.logB;
}

/** Returns the densities of a frame so far: equal ones if none were followed. */
function densitiesIn({ log_a: a, log_b: b }: History): Densities {
  return { logA: typeof a === 'number' ? a : 0, logB: typeof b === 'number' ? b : 0 };
}
