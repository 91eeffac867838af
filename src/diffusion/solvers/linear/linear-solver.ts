import type { History, Solver, Stage, Step, Values } from '../../types.js';
import { writeWeightedSum } from '../../weighted-sum.js';
import type { Bound } from './bounds.js';
import type { Form } from './forms.js';

/** The step of one stage. */
export interface Rule {
  /** The sample of the next stage. */
  readonly next: Form;
  /** New values of slots of the history; other slots keep their values. */
  readonly memory?: Readonly<Record<string, Form>>;
  /**
   * Slot of the sample that this step starts from, if a later step goes back to it. Where another solver makes this step,
   * that is the sample at this stage.
   */
  readonly startSlot?: string;
}

/** A solver with what its steps were made from. */
export interface LinearSolver extends Solver {
  readonly rules: readonly Rule[];
  readonly bound: Bound | null;
}

/** Returns whether a solver applies the same rules to all elements of a sample. */
export function isLinear(solver: Solver): solver is LinearSolver {
  return 'rules' in solver;
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

/** A step with further quantities that rules name: `clean`, the bounded clean estimate, and `one`. */
interface FullStep extends Step {
  readonly own?: Readonly<Partial<Record<string, Values>>>;
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
): LinearSolver {
  const slots = slotsOf(rules);
  const targets = rules.map(compile);
  const sums = Array.from({ length: slots.length + 1 }, () => new Float64Array(blockLength));
  const hasConstants = rules.some(({ next, memory }) =>
    [next, ...Object.values(memory ?? {})].some((form) => 'one' in form),
  );
  let [clean, ones] = [new Float64Array(0), new Float32Array(0)];
  return {
    stages,
    rules,
    bound,
    initNoiseSigma,
    addsNoise: rules.some(({ next }) => (next['noise'] ?? 0) !== 0),
    createHistory(length): History {
      return Object.fromEntries(slots.map((slot) => [slot, new Float32Array(length)]));
    },
    step(given): void {
      let step: FullStep = given;
      if (bound) {
        if (clean.length !== given.out.length) clean = new Float64Array(given.out.length);
        estimate(stages[given.stage], given, clean);
        bound(clean);
        step = { ...given, own: { clean } };
      }
      if (hasConstants) {
        if (ones.length !== given.out.length) ones = new Float32Array(given.out.length).fill(1);
        step = { ...step, own: { ...step.own, one: ones } };
      }
      const stageTargets = targets[step.stage];
      const [{ pairs }] = stageTargets;
      // A last step is often the sum of a sample and its noise, and remembers nothing.
      if (stageTargets.length === 1 && pairs.length === 1) {
        const [{ first, firstWeight, second, secondWeight }] = pairs;
        const [a, b] = [sourceArray(step, first), sourceArray(step, second)];
        writeWeightedSum(step.out, firstWeight, a, secondWeight, b);
        return;
      }
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

/** Returns the names of all slots that rules write to. */
export function slotsOf(rules: readonly Rule[]): readonly string[] {
  return [...new Set(rules.flatMap(({ memory }) => Object.keys(memory ?? {})))];
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

function addUp(sums: Float64Array, { pairs }: Target, step: FullStep, start: number, count: number): void {
  for (let p = 0; p < pairs.length; p++) {
    const { first, firstWeight, second, secondWeight } = pairs[p];
    const a = sourceArray(step, first);
    const b = sourceArray(step, second);
    if (p === 0) setPair(sums, firstWeight, a, secondWeight, b, start, count);
    else addPair(sums, firstWeight, a, secondWeight, b, start, count);
  }
}

/** Returns the values of a quantity in a step. @throws {RangeError} if its history belongs to another solver. */
export function sourceArray(step: FullStep, source: string): Values {
  if (source === 'sample') return step.sample;
  if (source === 'eps') return step.eps;
  if (source === 'noise') return step.noise;
  const array = step.own?.[source] ?? step.history[source];
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
