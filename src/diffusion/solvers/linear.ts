import type { History, Latent, Solver, Stage, Step } from '../types.js';

/**
 * Every solver here is linear in what a step is given: the sample, the predicted noise, fresh noise, and what it
 * remembers. So a family writes its paper's equations down once per stage, as linear forms in those quantities,
 * and all families share one step. A name that is none of the first three is a slot of the history.
 */
export type Form = Readonly<Record<string, number>>;

/** The quantity of this name. */
export function quantity(name: string): Form {
  return { [name]: 1 };
}

/** The sample at this stage, in the solver's own coordinates. */
export const x = quantity('sample');
/** The predicted noise. */
export const eps = quantity('eps');
/** Gaussian noise of unit variance. */
export const z = quantity('noise');

/** The sum of forms, each times its factor. A factor of 0 leaves the form out, whatever it holds. */
export function sum(...terms: readonly (readonly [factor: number, form: Form])[]): Form {
  const total: Record<string, number> = {};
  for (const [factor, form] of terms) {
    if (factor === 0) continue;
    for (const [name, weight] of Object.entries(form)) total[name] = (total[name] ?? 0) + factor * weight;
  }
  return total;
}

/** The clean estimate x0 = (x - b eps) / a of a variance-preserving sample. */
export function cleanEstimate({ a, b }: { readonly a: number; readonly b: number }): Form {
  return sum([1 / a, x], [-b / a, eps]);
}

/** What one stage does. */
export interface Rule {
  /** The sample of the next stage. */
  readonly next: Form;
  /** What the slots of the history hold afterwards; a slot that is not named keeps what it has. */
  readonly memory?: Readonly<Record<string, Form>>;
}

/** Values worked on at a time: small enough for the nearest cache. */
const blockLength = 1024;

interface Target {
  /** null is the sample of the next stage. */
  readonly slot: string | null;
  readonly terms: readonly { readonly source: string; readonly weight: number }[];
}

/** The solver that follows these rules, one for each stage. */
export function linearSolver(
  stages: readonly Stage[],
  initNoiseSigma: number,
  rules: readonly Rule[],
): Solver {
  const slots = [...new Set(rules.flatMap(({ memory }) => Object.keys(memory ?? {})))];
  const targets = rules.map(compile);
  const sums = Array.from({ length: slots.length + 1 }, () => new Float64Array(blockLength));
  return {
    stages,
    initNoiseSigma,
    addsNoise: targets.some((stage) =>
      stage.some(({ terms }) => terms.some(({ source }) => source === 'noise')),
    ),
    createHistory(length): History {
      return Object.fromEntries(slots.map((slot) => [slot, new Float32Array(length)]));
    },
    step(step): void {
      const stageTargets = targets[step.stage];
      for (let start = 0; start < step.out.length; start += blockLength) {
        const count = Math.min(blockLength, step.out.length - start);
        // All sums of a block are complete before any is stored, for a target may be a source of another.
        for (let t = 0; t < stageTargets.length; t++) {
          sums[t].fill(0, 0, count);
          for (const { source, weight } of stageTargets[t].terms) {
            addScaled(sums[t], weight, sourceArray(step, source), start, count);
          }
        }
        for (let t = 0; t < stageTargets.length; t++) {
          const { slot } = stageTargets[t];
          store(slot === null ? step.out : sourceArray(step, slot), start, sums[t], count);
        }
      }
    },
  };
}

function compile(rule: Rule): readonly Target[] {
  const target = (slot: string | null, form: Form): Target => ({
    slot,
    terms: Object.entries(form)
      .filter(([, weight]) => weight !== 0)
      .map(([source, weight]) => ({ source, weight })),
  });
  return [
    target(null, rule.next),
    ...Object.entries(rule.memory ?? {}).map(([slot, form]) => target(slot, form)),
  ];
}

function sourceArray(step: Step, source: string): Latent {
  if (source === 'sample') return step.sample;
  if (source === 'eps') return step.eps;
  if (source === 'noise') return step.noise;
  const array = step.history[source];
  if (!(array instanceof Float32Array))
    throw new RangeError(`history has no ${source}: it is of another solver`);
  return array;
}

function addScaled(sums: Float64Array, weight: number, source: Latent, start: number, count: number): void {
  for (let i = 0; i < count; i++) sums[i] += weight * source[start + i];
}

function store(out: Latent, start: number, sums: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) out[start + i] = sums[i];
}
