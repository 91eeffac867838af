import { chosenSolvers, defaultParameters, type SolverName, type StreamParameters } from '@millrace/protocol';
import { join } from 'node:path';
import { solversFor } from '../../../diffusion/solvers/create.js';
import type { ModelFolder } from '../../../model/folder.js';
import { ModelError } from '../../../model/model-error.js';
import { ParameterError } from '../../engine.js';
import { latentShape, type Size } from '../networks/sizes.js';
import { createPlan } from './plan.js';

/**
 * Checks the model's default parameters, and each solver with them, before any weights are loaded.
 * @returns a sentence for each solver that cannot be used with this model, with the reason.
 * @throws {ModelError} if no session could be opened with the default parameters.
 */
export function checkSolvers(folder: ModelFolder): readonly string[] {
  const model = {
    folder,
    latentShape: (size: Size) => latentShape(folder, size),
  };
  const problemOf = (parameters: StreamParameters): ParameterError | null => {
    try {
      createPlan(model, parameters);
      return null;
    } catch (error) {
      if (error instanceof ParameterError) return error;
      throw error;
    }
  };
  const usual = defaultParameters(folder);
  // That a solver is for models that predict something else is no fault of this one. Statistics are an extra, which most
  // models lack: that is no news.
  const expected = solversFor(folder.scheduler);
  const others = expected.flatMap((solver): [SolverName, ParameterError][] => {
    const problem = problemOf({ ...usual, solver, solver_schedule: null });
    // If another field is invalid, a session can set it to a value that this solver accepts.
    return problem?.field === 'solver' ? [[solver, problem]] : [];
  });
  const problem = problemOf(usual);
  if (problem) {
    const failing = new Set(others.map(([name]) => name));
    const working = expected.find((name) => !failing.has(name));
    throw new ModelError(join(folder.root, 'millrace.json'), describe(folder, usual, problem, working));
  }
  return others.map(
    ([solver, { message }]) => `sessions cannot use the solver ${solver} with this model: ${message}`,
  );
}

function describe(
  folder: ModelFolder,
  usual: StreamParameters,
  { field, message }: ParameterError,
  working: SolverName | undefined,
): string {
  const advice =
    field === 'solver' && working
      ? `set {"defaults": {"solver": "${working}"}} in that file`
      : `set ${field} under "defaults" in that file`;
  const problem = message.startsWith(field) ? message : `${field} ${message}`;
  const solvers = [...new Set(chosenSolvers(usual))].join(', ');
  return `no session can be opened with the default parameters of ${folder.name} (${solvers}): ${problem}; ${advice}`;
}
