import type { History, Solver, Stage, Step, Values } from '../../types.js';
import type { Bound } from './bounds.js';
import type { Form } from './forms.js';

/** The step of one stage. */
export interface Rule {
  /** The sample of the next stage. */
  readonly next: Form;
  /** New values of slots of the history; other slots keep their values. */
  readonly memory?: Readonly<Record<string, Form>>;
}

/** Values per block, which fits the L1 cache. */
const blockLength = 1024;

/** Two weighted sources. Adding two takes little longer than adding one. */
interface Pair {
  readonly first: string;
  readonly firstWeight: number;
  readonly second: string;
  readonly secondWeight: number;
}

interface Target {
  /** null: the sample of the next stage. */
  readonly slot: string | null;
  readonly pairs: readonly Pair[];
}

/** A step with the bounded clean estimate of its sample, named `clean` in rules. */
interface BoundStep extends Step {
  readonly clean: Float64Array;
}

/**
 * Creates a solver from one rule per stage. All solvers here are linear in the values of a step, so they share this
 * step: its coefficients are computed once, and it allocates nothing.
 * @param bound bounds the clean estimate (clipping, thresholding), in which rules are linear too.
 */
export function linearSolver(
  stages: readonly Stage[],
  initNoiseSigma: number,
  rules: readonly Rule[],
  bound: Bound | null = null,
): Solver {
  const slots = [...new Set(rules.flatMap(({ memory }) => Object.keys(memory ?? {})))];
  const targets = rules.map(compile);
  const sums = Array.from({ length: slots.length + 1 }, () => new Float64Array(blockLength));
  let clean = new Float64Array(0);
  return {
    stages,
    initNoiseSigma,
    addsNoise: rules.some(({ next }) => (next['noise'] ?? 0) !== 0),
    createHistory(length): History {
      return Object.fromEntries(slots.map((slot) => [slot, new Float32Array(length)]));
    },
    step(given): void {
      let step: Step | BoundStep = given;
      if (bound) {
        if (clean.length !== given.out.length) clean = new Float64Array(given.out.length);
        estimate(stages[given.stage], given, clean);
        bound(clean);
        step = { ...given, clean };
      }
      const stageTargets = targets[step.stage];
      for (let start = 0; start < step.out.length; start += blockLength) {
        const count = Math.min(blockLength, step.out.length - start);
        // All sums of a block are computed before any is stored, since a target may be a source of another.
        for (let t = 0; t < stageTargets.length; t++) addUp(sums[t], stageTargets[t], step, start, count);
        for (let t = 0; t < stageTargets.length; t++) {
          const { slot } = stageTargets[t];
          store(slot === null ? step.out : sourceArray(step, slot), start, sums[t], count);
        }
      }
    },
  };
}

/** Writes the clean estimate x0 = (x - b eps) / a of a sample in the solver's own coordinates. */
function estimate({ a, b, inputScale }: Stage, { sample, eps }: Step, clean: Float64Array): void {
  for (let i = 0; i < clean.length; i++) clean[i] = (sample[i] * inputScale - b * eps[i]) / a;
}

function compile(rule: Rule): readonly Target[] {
  return [
    { slot: null, pairs: pairsOf(rule.next) },
    ...Object.entries(rule.memory ?? {}).map(([slot, form]) => ({ slot, pairs: pairsOf(form) })),
  ];
}

function pairsOf(form: Form): readonly Pair[] {
  const terms = Object.entries(form).filter(([, weight]) => weight !== 0);
  return Array.from({ length: Math.ceil(terms.length / 2) }, (_, i) => {
    const [first, firstWeight] = terms[2 * i];
    const [second, secondWeight] = terms[2 * i + 1] ?? [first, 0];
    return { first, firstWeight, second, secondWeight };
  });
}

function addUp(
  sums: Float64Array,
  { pairs }: Target,
  step: Step | BoundStep,
  start: number,
  count: number,
): void {
  for (let p = 0; p < pairs.length; p++) {
    const { first, firstWeight, second, secondWeight } = pairs[p];
    const a = sourceArray(step, first);
    const b = sourceArray(step, second);
    if (p === 0) setPair(sums, firstWeight, a, secondWeight, b, start, count);
    else addPair(sums, firstWeight, a, secondWeight, b, start, count);
  }
}

function sourceArray(step: Step | BoundStep, source: string): Values {
  if (source === 'sample') return step.sample;
  if (source === 'eps') return step.eps;
  if (source === 'noise') return step.noise;
  if (source === 'clean' && 'clean' in step) return step.clean;
  const array = step.history[source];
  if (array === undefined || typeof array === 'number')
    throw new RangeError(`the history has no ${source}: it belongs to another solver`);
  return array;
}

function setPair(
  sums: Float64Array,
  weightA: number,
  a: Values,
  weightB: number,
  b: Values,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) sums[i] = weightA * a[start + i] + weightB * b[start + i];
}

function addPair(
  sums: Float64Array,
  weightA: number,
  a: Values,
  weightB: number,
  b: Values,
  start: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) sums[i] += weightA * a[start + i] + weightB * b[start + i];
}

function store(out: Values, start: number, sums: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) out[start + i] = sums[i];
}
