import { defaultParameters, hasEffect, parameterSchemas, solverParameterNames } from '@millrace/protocol';
import { candidateOf, coarseGrid, type Candidate, type Space } from '../../src/cli/tune/candidates.js';
import { search, type Measure } from '../../src/cli/tune/search.js';
import { createSolver } from '../../src/diffusion/solvers/create.js';
import type { Solver } from '../../src/diffusion/types.js';
import { report, type Figure } from './report.js';
import { draw, relativeError, run, scheduler, type Draw } from './two-modes.js';

/**
 * What a solver of its own for each step would gain (Liu et al. 2023, "unified sampling framework"), which `millrace tune`
 * does not search for: `npm run bench -- solver-per-step`, the figures of src/diffusion/README.md. Both the best solver
 * for all steps and the best for each have first the best times of the coarse grid of `tune`, then the times that `tune`
 * finds, beside the solver and options that it finds. Each is searched with one draw; the errors are those of others.
 */
const valuesPerDraw = 512;
/** What `tune` finds depends on the draw that it searches with. */
const searchedSeeds = [1, 2, 3];
const reportedSeeds = [11, 12, 13, 14, 15, 16, 17, 18];
/** Most calls for which all choices are tried. */
const exhaustiveCalls = 4;

/** The solvers to choose from. */
const methods: Readonly<Record<string, Partial<Candidate>>> = {
  DDIM: { solver: 'DDIMScheduler', eta: 0 },
  'DPM++ 2': { solver: 'DPMSolverMultistepScheduler', algorithm_type: 'dpmsolver++', solver_order: 2 },
  'DPM++ 3': { solver: 'DPMSolverMultistepScheduler', algorithm_type: 'dpmsolver++', solver_order: 3 },
  'DEIS 2': { solver: 'DEISMultistepScheduler', solver_order: 2 },
  'UniPC 2': { solver: 'UniPCMultistepScheduler', solver_order: 2 },
  'PLMS 2': { solver: 'GHVBScheduler', solver_order: 2, momentum_beta: 1 },
  'GHVB 2': { solver: 'GHVBScheduler', solver_order: 2, momentum_beta: 0.8 },
  BDIA: { solver: 'BDIAScheduler', bdia_gamma: 0.5 },
};

const space: Space = { scheduler, usual: defaultParameters(), strength: 1 };

/** A draw, and where the exact path leads it. */
interface Task {
  readonly start: Draw;
  readonly exact: Float64Array;
}

/** The solver of each step, and its error. */
interface Choice {
  readonly names: readonly string[];
  readonly solvers: readonly Solver[];
  readonly error: number;
}

function task(seed: number): Task {
  const start = draw(seed, valuesPerDraw);
  const reference: Candidate = {
    ...candidateOf(space.usual),
    ...methods['DPM++ 3'],
    timestep_spacing: 'trailing',
    num_inference_steps: 1000,
    t_index_list: null,
  };
  const solver = createSolver(scheduler, reference);
  return { start, exact: run(Array<Solver>(solver.stages.length).fill(solver), start) };
}

/** Returns the error of a choice over tasks, the root of the mean of the squares. */
function errorOf(solvers: readonly Solver[], tasks: readonly Task[]): number {
  const squares = tasks.map(({ start, exact }) => relativeError(run(solvers, start), exact) ** 2);
  return Math.sqrt(squares.reduce((total, square) => total + square, 0) / squares.length);
}

const searched = searchedSeeds.map(task);
const reported = reportedSeeds.map(task);

/** Searches the solvers of steps at the times of a candidate. */
class StepSearch {
  readonly #solvers: ReadonlyMap<string, Solver>;
  readonly #calls: number;
  readonly #task: Task;

  /** @param tuned a solver with its options, one more to choose from. */
  constructor(on: Task, times: Candidate, tuned?: Candidate) {
    this.#task = on;
    const all = { ...methods, ...(tuned && { tuned }) };
    this.#solvers = new Map(
      Object.entries(all).map(([name, method]) => {
        const { timestep_spacing, num_inference_steps, t_index_list } = times;
        const options = { ...times, ...method, timestep_spacing, num_inference_steps, t_index_list };
        return [name, createSolver(scheduler, options)];
      }),
    );
    this.#calls = times.t_index_list?.length ?? 0;
  }

  /** Returns the choices of one solver for all steps. */
  uniform(): readonly Choice[] {
    return [...this.#solvers.keys()].map((name) => this.#rate(Array<string>(this.#calls).fill(name)));
  }

  /** Returns the best choice of a solver for each step. */
  perStep(): Choice {
    if (this.#calls <= exhaustiveCalls) return best(this.#combinations().map((names) => this.#rate(names)));
    return best(this.uniform().map((choice) => this.#exchanged(choice)));
  }

  /** Exchanges the solver of one step after another, until no exchange makes the error smaller. */
  #exchanged(start: Choice): Choice {
    let choice = start;
    for (let before = Infinity; choice.error < before;) {
      before = choice.error;
      for (let stage = 0; stage < this.#calls; stage++) {
        const others = [...this.#solvers.keys()].map((name) => this.#rate(choice.names.with(stage, name)));
        choice = best([choice, ...others]);
      }
    }
    return choice;
  }

  #combinations(): readonly (readonly string[])[] {
    let all: readonly (readonly string[])[] = [[]];
    for (let stage = 0; stage < this.#calls; stage++) {
      all = all.flatMap((names) => [...this.#solvers.keys()].map((name) => names.concat(name)));
    }
    return all;
  }

  #rate(names: readonly string[]): Choice {
    const solvers = names.flatMap((name) => this.#solvers.get(name) ?? []);
    return { names, solvers, error: errorOf(solvers, [this.#task]) };
  }
}

function best(choices: readonly Choice[]): Choice {
  return choices.reduce((a, b) => (b.error < a.error ? b : a));
}

/** Returns the searches at the times of the coarse grid. */
function gridSearches(on: Task, calls: number): readonly StepSearch[] {
  return coarseGrid(space, calls)
    .filter((one) => one.solver === 'DDIMScheduler' && one.timestep_spacing === 'trailing')
    .map((times) => new StepSearch(on, times));
}

/** Returns what `tune` finds: a solver, its options and moved times. */
async function tune(on: Task, calls: number): Promise<Candidate> {
  const measure: Measure = (candidate) => Promise.resolve(tunedError(on, candidate));
  const found = await search(space, measure, { budget: calls, pictures: [0], onTrial: () => {} });
  if (!found) throw new RangeError(`no solver makes ${calls} calls`);
  return found.candidate;
}

/** Returns the error of one solver; null if its samples or stages differ from those of the solvers above. */
function tunedError(on: Task, candidate: Candidate): number | null {
  const solver = createSolver(scheduler, candidate);
  const { stages, addsNoise } = solver;
  const sameSamples = !addsNoise && stages.every(({ inputScale }) => inputScale === 1);
  const sameStages =
    candidate.timestep_spacing === 'trailing' && stages.length === candidate.t_index_list?.length;
  if (!sameSamples || !sameStages) return null;
  return errorOf(Array<Solver>(stages.length).fill(solver), [on]);
}

const figures: Figure[] = [];

/** Reports the errors of one solver for all steps and of one for each, on draws that no search has seen. */
function compare(title: string, one: Choice, each: Choice): void {
  const [oneError, eachError] = [one, each].map(({ solvers }) => errorOf(solvers, reported));
  console.log(`${title}, one solver: ${one.names[0]} at ${timesOf(one)}`);
  console.log(`${title}, one for each step: ${each.names.join(', ')} at ${timesOf(each)}`);
  figures.push(
    { what: `${title}: error of one solver for all steps`, value: oneError, unit: '' },
    { what: `${title}: error of one for each step`, value: eachError, unit: '' },
    { what: `${title}: gain`, value: 100 * (1 - eachError / oneError), unit: '%' },
  );
}

function timesOf({ solvers }: Choice): string {
  return solvers[0].stages.map(({ timestep }) => timestep).join(', ');
}

for (const calls of [2, 4, 8]) {
  const searches = gridSearches(searched[0], calls);
  const one = best(searches.flatMap((at) => at.uniform()));
  compare(`${calls} calls, coarse grid`, one, best(searches.map((at) => at.perStep())));
  for (const [i, on] of searched.entries()) {
    const title = `${calls} calls, times of tune, draw ${searchedSeeds[i]}`;
    const tuned = await tune(on, calls);
    const options = solverParameterNames.filter((name) => hasEffect(parameterSchemas[name], tuned));
    console.log(`${title}: tuned is ${options.map((name) => `${name} ${tuned[name]}`).join(', ')}`);
    const at = new StepSearch(on, tuned, tuned);
    compare(title, best(at.uniform()), at.perStep());
  }
}
report('solver-per-step', figures);
