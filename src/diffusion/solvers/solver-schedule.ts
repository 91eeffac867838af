import { SolverError, type SolverName } from '../solver-options.js';
import type { Solver, Stage } from '../types.js';
import { sum, x, type Form } from './linear/forms.js';
import { isLinear, linearSolver, slotsOf, type LinearSolver, type Rule } from './linear/linear-solver.js';

/** Levels of solvers agree up to the single precision that some compute them in. */
const tolerance = 1e-5;

/**
 * Creates a solver whose steps are made by several (Liu et al. 2023: a solver schedule). All look at every sample and
 * prediction, each for the history that its later steps need, so a multistep solver finds it whole where its turn comes.
 * Samples preserve the variance.
 * @param names the solver of each step; at least two differ.
 * @throws {SolverError} if they ask the model at different noise levels, or one cannot follow another.
 */
export function createSolverSchedule(
  solvers: ReadonlyMap<SolverName, Solver>,
  names: readonly SolverName[],
): Solver {
  const parts = new Map([...solvers].map(([name, solver]) => [name, partOf(name, solver, names.length)]));
  const all = [...parts.values()];
  checkLevels(all);
  const makers = names.map((name) => parts.get(name) ?? all[0]);
  checkOrder(makers);
  const rules = makers.map((maker, step): Rule => {
    const memories = all.map((part) => part.memoryAt(step, part === maker));
    return { next: maker.nextAt(step), memory: Object.assign({}, ...memories) as Record<string, Form> };
  });
  const stages = makers.map(({ solver }, step): Stage => ({ ...solver.stages[step], inputScale: 1 }));
  const { initNoiseSigma, stages: own } = makers[0].solver;
  const bound = all.map(({ solver }) => solver.bound).find((one) => one !== null) ?? null;
  return linearSolver(stages, initNoiseSigma * own[0].inputScale, withoutUnread(rules), bound);
}

/** One of several solvers, in samples and slots that all share. */
interface Part {
  readonly name: SolverName;
  readonly solver: LinearSolver;
  readonly nextAt: (step: number) => Form;
  /** @param makes whether this solver makes the step. */
  readonly memoryAt: (step: number, makes: boolean) => Readonly<Record<string, Form>>;
}

function partOf(name: SolverName, solver: Solver, steps: number): Part {
  const refuse = (why: string): SolverError =>
    new SolverError('solver_schedule', `must not mix ${name} with other solvers: ${why}`);
  const { stages } = solver;
  if (stages.length !== steps)
    throw refuse(`it makes ${stages.length} calls of the model for ${steps} steps`);
  if (!isLinear(solver)) throw refuse('the model has statistics for it that differ from element to element');
  const { rules } = solver;
  const slots = new Set(slotsOf(rules));
  const ownSlot = (slot: string): string => `${name}.${slot}`;
  const shared = (form: Form, step: number): Form =>
    Object.fromEntries(
      Object.entries(form).map(([quantity, weight]) => {
        if (quantity === 'sample') return [quantity, weight / stages[step].inputScale];
        return [slots.has(quantity) ? ownSlot(quantity) : quantity, weight];
      }),
    );
  return {
    name,
    solver,
    nextAt: (step) => sum([stages[step + 1]?.inputScale ?? 1, shared(rules[step].next, step)]),
    memoryAt(step, makes) {
      const { memory = {}, startSlot } = rules[step];
      const own = makes || startSlot === undefined ? memory : { ...memory, [startSlot]: x };
      return Object.fromEntries(
        Object.entries(own).map(([slot, form]) => [ownSlot(slot), shared(form, step)]),
      );
    },
  };
}

/** @throws {SolverError} if solvers ask the model at different noise levels. */
function checkLevels([first, ...others]: readonly Part[]): void {
  for (const { name, solver } of others) {
    const [own, those] = [first.solver.stages, solver.stages];
    const at = own.findIndex((stage, i) => !isSameLevel(stage, those[i]));
    if (at < 0) continue;
    throw new SolverError(
      'solver_schedule',
      `must not mix ${first.name} and ${name} here: in step ${at + 1} they ask the model at ${levelText(own[at])} ` +
        `and ${levelText(those[at])}; most solvers share their times with timestep_spacing trailing (or null), ` +
        'without Karras sigmas',
    );
  }
}

function isSameLevel(one: Stage, other: Stage): boolean {
  const names = ['timestep', 'a', 'b'] as const;
  return names.every((name) => Math.abs(one[name] - other[name]) <= tolerance * Math.max(1, one[name]));
}

function levelText({ timestep, a, b }: Stage): string {
  return `timestep ${Number(timestep.toFixed(2))} (sigma ${(b / a).toFixed(3)})`;
}

/** @throws {SolverError} if a step goes back to the sample before another that has added noise since. */
function checkOrder(makers: readonly Part[]): void {
  for (const [step, { name, solver }] of makers.entries()) {
    const { next, startSlot } = solver.rules[step];
    if (step === 0 || startSlot === undefined || !(startSlot in next)) continue;
    const before = makers[step - 1];
    if ((before.solver.rules[step - 1].next['noise'] ?? 0) === 0) continue;
    throw new SolverError(
      'solver_schedule',
      `must not have ${name} in step ${step + 1}: it goes back to the sample before step ${step}, ` +
        `where ${before.name} adds noise`,
    );
  }
}

/** Leaves out what is remembered but not looked at before it is replaced. */
function withoutUnread(rules: readonly Rule[]): readonly Rule[] {
  const read = new Set<string>();
  const kept = rules.toReversed().map(({ next, memory = {} }): Rule => {
    const used = Object.entries(memory).filter(([slot]) => read.has(slot));
    for (const [slot] of used) read.delete(slot);
    for (const form of [next, ...used.map(([, one]) => one)]) {
      for (const quantity of Object.keys(form)) read.add(quantity);
    }
    return { next, memory: Object.fromEntries(used) };
  });
  return kept.toReversed();
}
