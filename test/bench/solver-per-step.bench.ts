import { chosenSolvers, defaultParameters } from '@millrace/protocol';
import { candidateOf, type Candidate, type Space } from '../../src/cli/tune/candidates.js';
import { search, type Measure } from '../../src/cli/tune/search.js';
import { createSolver } from '../../src/diffusion/solvers/create.js';
import { report, type Figure } from './report.js';
import { draw, relativeError, run, scheduler, type Draw } from './two-modes.js';

/**
 * What a solver of its own for each step gains with an exact predictor: `npm run bench -- solver-per-step`, the figures of
 * src/diffusion/README.md. The search is that of `millrace tune`, which finds the best with one solver for all steps on
 * its way. The errors are those of draws that it has not seen. What it finds differs between draws, so it is made with
 * several sets of them.
 */
const valuesPerDraw = 512;
const searchedSeeds = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
];
const reportedSeeds = [11, 12, 13, 14, 15, 16, 17, 18];

const space: Space = { scheduler, usual: defaultParameters(), strength: 1 };

/** A draw, and where the exact path leads it. */
interface Task {
  readonly start: Draw;
  readonly exact: Float64Array;
}

function task(seed: number): Task {
  const start = draw(seed, valuesPerDraw);
  const reference: Candidate = {
    ...candidateOf(space.usual),
    solver: 'DPMSolverMultistepScheduler',
    solver_order: 3,
    timestep_spacing: 'trailing',
    num_inference_steps: 1000,
    t_index_list: null,
  };
  return { start, exact: run(createSolver(scheduler, reference), start) };
}

/** Returns the error of a candidate; null if it adds noise, which the exact path does not. */
function errorOf(candidate: Candidate, { start, exact }: Task): number | null {
  const solver = createSolver(scheduler, candidate);
  return solver.addsNoise ? null : relativeError(run(solver, start), exact);
}

const reported = reportedSeeds.map(task);

/** Returns the error on draws that no search has seen, the root of the mean of the squares. */
function reportedError(candidate: Candidate): number {
  const squares = reported.map((on) => (errorOf(candidate, on) ?? Infinity) ** 2);
  return Math.sqrt(squares.reduce((total, square) => total + square, 0) / squares.length);
}

function describe(candidate: Candidate): string {
  const { solver_order: order, momentum_beta: beta, t_index_list: times } = candidate;
  return `${chosenSolvers(candidate).join(', ')} (order ${order}, momentum ${beta}) at ${times?.join(', ')}`;
}

const figures: Figure[] = [];
for (const calls of [2, 4, 8]) {
  for (const seeds of searchedSeeds) {
    const searched = seeds.map(task);
    const measure: Measure = (candidate, picture) => Promise.resolve(errorOf(candidate, searched[picture]));
    const found = await search(space, measure, { budget: calls, pictures: [0, 1, 2], onTrial: () => {} });
    if (!found) throw new RangeError(`no solver makes ${calls} calls`);
    const title = `${calls} calls, draws ${seeds.join(', ')}`;
    console.log(`${title}: one solver: ${describe(found.uniform.candidate)}`);
    console.log(`${title}: one for each step: ${describe(found.candidate)}`);
    const [one, each] = [found.uniform.candidate, found.candidate].map(reportedError);
    figures.push(
      { what: `${title}: error of one solver for all steps`, value: one, unit: '' },
      { what: `${title}: error of one for each step`, value: each, unit: '' },
      { what: `${title}: gain`, value: 100 * (1 - each / one), unit: '%' },
    );
  }
}
report('solver-per-step', figures);
