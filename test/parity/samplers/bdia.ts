import { BdiaInversion, type NoisePredictor } from '../../../src/diffusion/bdia-inversion.js';
import { createNoiseSchedule } from '../../../src/diffusion/schedule.js';
import { createSolver } from '../../../src/diffusion/solvers/create.js';
import { followSolver, usualOptions, type SamplerRun } from '../../support/sampler-table.js';

/** Follows BDIA-DDIM. */
export function followBdia(run: SamplerRun): void {
  const options = usualOptions('BDIAScheduler', run.steps);
  const config = { ...run.table.schedule, steps_offset: 1 };
  followSolver(
    createSolver(config, { ...options, bdia_gamma: run.table.parameters['gamma'] as number }),
    run,
  );
}

/** Follows the inversion of an image and the way back, by the predictor that they were recorded with. */
export async function followRoundTrip(run: SamplerRun): Promise<void> {
  const { table, steps, tensor, entry, compare } = run;
  const schedule = createNoiseSchedule(table.schedule ?? {});
  const inversion = new BdiaInversion(schedule, steps, table.parameters['gamma'] as number);
  /** Compares what is asked with the calls from this one on. */
  const asking = (way: 'inversion' | 'sampling', first: number): NoisePredictor => {
    let call = first;
    return (sample, timestep) => {
      compare([timestep], [tensor(`${way}_timesteps`)[call]], `timestep ${call} of the ${way}`);
      compare(sample, entry(`${way}_model_input`, call), `input ${call} of the ${way}`);
      call += 1;
      const predict = (x: number): number => 0.5 * Math.tanh(x) + 0.2 * x + 0.1 * Math.sin(timestep / 100);
      return Promise.resolve(sample.map(predict));
    };
  };
  const image = Float64Array.from(tensor('image'));
  // The original asks the model once more at the start, for a step of no length.
  const pair = await inversion.invert(image, asking('inversion', 1));
  compare(pair.noisiest, entry('pair', 0), 'noisiest sample');
  compare(pair.next, entry('pair', 1), 'sample before it');
  const back = await inversion.sample(pair, asking('sampling', 0));
  compare(back, tensor('back'), 'image');
  // The way back is exact in double precision, far below the tolerance of the table.
  compare(
    back.map((value, i) => 1e5 * (value - image[i])),
    image.map(() => 0),
    'image, times 100,000',
  );
}
