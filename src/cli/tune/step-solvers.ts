import { chosenSolvers, type SolverName } from '@millrace/protocol';
import type { Gaussian } from '../../diffusion/gaussian.js';
import { solversFor } from '../../diffusion/solvers/create.js';
import { callsOf, type Candidate, type Space } from './candidates.js';

/** Returns the candidate with each other solver of the model in each of its steps, as far as they go together. */
export function withExchangedSolvers(
  { scheduler }: Space,
  candidate: Candidate,
  calls: number,
): readonly Candidate[] {
  const names = solversOfSteps(candidate);
  const all = names.flatMap((own, step) =>
    solversFor(scheduler)
      .filter((name) => name !== own)
      .map((name) => withSolvers(candidate, names.with(step, name))),
  );
  return all.filter((one) => callsOf(scheduler, one) === calls);
}

/** Returns the candidate with the solver of one step in all, on average, replaced by any of the model. */
export function withRandomSolvers({ scheduler }: Space, candidate: Candidate, random: Gaussian): Candidate {
  const all = solversFor(scheduler);
  const names = solversOfSteps(candidate);
  const mixed = names.map((own) =>
    random.uniform() < 1 / names.length ? (all[Math.floor(random.uniform() * all.length)] ?? own) : own,
  );
  return withSolvers(candidate, mixed);
}

/** Returns the solver of each step. */
function solversOfSteps(candidate: Candidate): readonly SolverName[] {
  const chosen = chosenSolvers(candidate);
  return (candidate.t_index_list ?? []).map((_, step) => chosen[step] ?? chosen.at(-1) ?? candidate.solver);
}

/** Returns the candidate with these solvers; where they differ, `solver` stays as the best for all steps. */
function withSolvers(candidate: Candidate, names: readonly SolverName[]): Candidate {
  const [solver = candidate.solver] = names;
  return names.every((name) => name === solver)
    ? { ...candidate, solver, solver_schedule: null }
    : { ...candidate, solver_schedule: names };
}
