import type { History, Solver, Stage, Step } from '../../types.js';
import { slotsOf, sourceArray, type Rule } from './linear-solver.js';

/** A weighted sum whose weights differ from element to element. */
interface Target {
  /** null: the sample of the next stage. */
  readonly slot: string | null;
  readonly terms: readonly { readonly source: string; readonly weights: Float64Array }[];
}

/**
 * Creates a solver that is linear with other weights for each element of a sample, from the rules of each element, one
 * for each stage. Samples must have as many elements.
 */
export function elementwiseSolver(stages: readonly Stage[], rulesOf: readonly (readonly Rule[])[]): Solver {
  const elements = rulesOf.length;
  const slots = slotsOf(rulesOf[0]);
  const targets = stages.map((_, stage) => compile(rulesOf.map((rules) => rules[stage])));
  const ones = new Float32Array(elements).fill(1);
  const sums = Array.from({ length: slots.length + 1 }, () => new Float64Array(elements));
  return {
    stages,
    initNoiseSigma: 1,
    addsNoise: false,
    createHistory(length): History {
      return Object.fromEntries(slots.map((slot) => [slot, new Float32Array(length)]));
    },
    step(given: Step): void {
      if (given.out.length !== elements)
        throw new RangeError(`the solver is for ${elements} elements, not ${given.out.length}`);
      const step = { ...given, own: { one: ones } };
      const stageTargets = targets[step.stage];
      // All sums are computed before any is stored, since a target may be a source of another.
      for (const [t, { terms }] of stageTargets.entries()) {
        const sum = sums[t].fill(0);
        for (const { source, weights } of terms) {
          const values = sourceArray(step, source);
          for (let i = 0; i < elements; i++) sum[i] += weights[i] * values[i];
        }
      }
      for (const [t, { slot }] of stageTargets.entries()) {
        (slot === null ? step.out : sourceArray(step, slot)).set(sums[t]);
      }
    },
  };
}

/** Returns the targets of one stage, from its rule for each element. */
function compile(rules: readonly Rule[]): readonly Target[] {
  const targets = [null, ...Object.keys(rules[0].memory ?? {})];
  return targets.map((slot) => {
    const forms = rules.map(({ next, memory }) => (slot === null ? next : (memory?.[slot] ?? {})));
    const sources = [...new Set(forms.flatMap((form) => Object.keys(form)))];
    const terms = sources.map((source) => ({
      source,
      weights: Float64Array.from(forms, (form) => form[source] ?? 0),
    }));
    return { slot, terms };
  });
}
