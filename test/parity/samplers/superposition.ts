import { createNoiseSchedule } from '../../../src/diffusion/schedule.js';
import { createSolver } from '../../../src/diffusion/solvers/create.js';
import { eulerMaruyamaSolver } from '../../../src/diffusion/solvers/euler.js';
import { sigmaPath } from '../../../src/diffusion/solvers/paths/sigmas.js';
import { compose, type Composition, type Densities } from '../../../src/diffusion/superposition.js';
import type { Solver } from '../../../src/diffusion/types.js';
import { usualOptions, type SamplerRun } from '../../support/sampler-table.js';

interface Parameters {
  readonly method: 'or' | 'and' | 'avg' | 'or_ode' | 'and_ode';
  readonly guidance: number;
  readonly T?: number;
  readonly logp?: number;
  readonly lift?: number;
}

/** Returns what follows the composition of two prompts, with the sign of the theorem or of the published script. */
export function followSuperposition(publishedSign: boolean) {
  return (run: SamplerRun): void => {
    const { method, guidance, T = 1, logp = 0, lift = 0 } = run.table.parameters as unknown as Parameters;
    const isStochastic = !method.endsWith('_ode');
    const solver = solverOf(run, isStochastic);
    run.compare(
      solver.stages.map(({ timestep }) => timestep),
      run.tensor('timesteps'),
      'timesteps',
    );
    const [plain = ''] = method.split('_');
    const composition: Composition = {
      type: plain === 'avg' ? 'mean' : (plain as 'and' | 'or'),
      temperature: T,
      bias: logp,
      lift,
      publishedSign,
    };
    const rows = run.rows('start');
    const sigmas = run.tensor('sigmas');
    for (let row = 0; row < rows; row++) {
      const at = (tensor: string, step: number): Float32Array => run.row(tensor, step, row);
      const sample = Float64Array.from(run.row('start', null, row));
      const eps = new Float64Array(sample.length);
      const densities: Densities = { logA: 1, logB: 1 };
      for (const stage of solver.stages.keys()) {
        const noise = isStochastic ? at('noise', stage) : new Float32Array(sample.length);
        const step = {
          sigma: sigmas[stage],
          change: sigmas[stage + 1] - sigmas[stage],
          steps: run.steps,
          guidance,
          a: at('eps_A', stage),
          b: at('eps_B', stage),
          negative: at('eps_0', stage),
          random: isStochastic ? { noise } : divergences(run, stage, row, sample),
        };
        const kappa = compose(composition, step, densities, eps);
        solver.step({ stage, sample, eps, noise, history: {}, out: sample });
        const where = `row ${row}, step ${stage}`;
        if (run.has('kappa')) run.compare([kappa], at('kappa', stage), `weight of A, ${where}`);
        run.compare([densities.logA], at('logq_A', stage + 1), `log q_A, ${where}`);
        run.compare([densities.logB], at('logq_B', stage + 1), `log q_B, ${where}`);
        run.compare(sample, at('after', stage), `sample, ${where}`);
      }
    }
  };
}

/** Returns the step of the original, which adds noise even at the end, or Euler's. */
function solverOf({ table, steps }: SamplerRun, isStochastic: boolean): Solver {
  const config = table.schedule ?? {};
  const options = usualOptions('EulerDiscreteScheduler', steps);
  if (!isStochastic) return createSolver(config, options);
  const kind = { timesteps: 'inclusive', end: 'zero' } as const;
  return eulerMaruyamaSolver(sigmaPath(createNoiseSchedule(config), config, options, kind), true);
}

/** Returns the divergences of both predictions; computed from the models of the table, if it has none. */
function divergences(run: SamplerRun, stage: number, row: number, sample: Float64Array) {
  // The tables have them with the other sign.
  if (run.has('div_A')) {
    const of = (name: string): number => -run.row(name, stage, row)[0];
    return { divergenceA: of('div_A'), divergenceB: of('div_B') };
  }
  const scale = 1 / Math.sqrt(1 + run.tensor('sigmas')[stage] ** 2);
  const total = (slope: (x: number) => number): number =>
    sample.reduce((sum, value) => sum + scale * slope(scale * value), 0);
  return {
    divergenceA: total((x) => 0.5 * (1 - Math.tanh(x) ** 2) + 0.2),
    divergenceB: total((x) => 0.3 * (1 - Math.tanh(x - 0.5) ** 2) + 0.35),
  };
}
