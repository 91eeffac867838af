import { createNoiseSchedule } from '../../../src/diffusion/schedule.js';
import { v3Solver } from '../../../src/diffusion/solvers/dpm-solver-v3.js';
import { lambdaPath } from '../../../src/diffusion/solvers/paths/lambdas.js';
import { blankStatistics, type ModelStatistics } from '../../../src/diffusion/statistics.js';
import { referenceCases } from '../../support/reference.js';
import { readSafeTensors } from '../../support/safetensors.js';
import { followSolver, usualOptions, type SamplerRun } from '../../support/sampler-table.js';

interface Parameters {
  readonly order: number;
  readonly corrector?: boolean;
  readonly half?: boolean;
  readonly p_pseudo?: boolean;
  readonly c_pseudo?: boolean;
  readonly skip_type?: 'logSNR' | 'time_uniform';
  /** Per element if absent. */
  readonly statistics?: 'scalar' | 'degenerate';
  /** The table with the statistics. */
  readonly ems: string;
}

/** Follows DPM-Solver-v3 with the recorded statistics. */
export async function followV3(run: SamplerRun): Promise<void> {
  const given = run.table.parameters as unknown as Parameters;
  const statistics = await readStatistics(given);
  const schedule = createNoiseSchedule(run.table.schedule ?? {});
  const intervals = statistics.l.length / statistics.elements - 1;
  const even = given.skip_type === 'logSNR' ? 'lambda' : 'time';
  const path = lambdaPath(schedule, usualOptions('DPMSolverV3Scheduler', run.steps), { intervals, even });
  const corrector = given.half ? 'half' : (given.corrector ?? false);
  const solver = v3Solver(path, statistics, given.order, {
    corrector,
    predictsPseudo: given.p_pseudo ?? false,
    correctsPseudo: given.c_pseudo ?? false,
  });
  const { positions, corrector_order: corrected } = run.info as {
    readonly positions: readonly number[];
    readonly corrector_order: readonly number[];
  };
  run.compare(path.positions, positions, 'positions');
  run.compare(
    positions.map((position) => path.lambdas[position]),
    run.tensor('lambda'),
    'lambda',
  );
  let corrections = 0;
  followSolver(solver, run, (step, history) => {
    if (corrected[step] === 0) return;
    run.compare(history['last'] as Float32Array, run.entry('corrected', corrections++), `correction ${step}`);
  });
}

async function readStatistics({ ems, statistics }: Parameters): Promise<ModelStatistics> {
  const file = referenceCases('samplers').find(({ name }) => name === ems);
  if (file === undefined) throw new RangeError(`there is no table ${ems}`);
  const tensors = await readSafeTensors(file.tensors);
  const [, count] = /^(\d+)\.lambda$/m.exec(tensors.names.join('\n')) ?? [];
  const suffix = statistics === 'scalar' ? '_scalar' : '';
  const values = (name: string): Float64Array =>
    Float64Array.from(tensors.floats(`${count}.${name}${suffix}`));
  const [l, s, b] = [values('l'), values('s'), values('b')];
  const found = { l, s, b, elements: l.length / (Number(count) + 1) };
  return statistics === 'degenerate' ? blankStatistics(found) : found;
}
