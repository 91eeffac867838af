import { availableParallelism } from 'node:os';
import process from 'node:process';
import { defaultParameters, type SolverName } from '@millrace/protocol';
import { plainCandidates, referenceFor, type Candidate, type Space } from '../../src/cli/tune/candidates.js';
import { readPictures } from '../../src/cli/tune/pictures.js';
import { comparedCalls, meanError } from '../../src/cli/tune/report.js';
import { Gaussian } from '../../src/diffusion/gaussian.js';
import { createSolver } from '../../src/diffusion/solvers/create.js';
import { stageAt } from '../../src/diffusion/solvers/paths/timesteps.js';
import { createNoiseSchedule } from '../../src/diffusion/schedule.js';
import type { Latent } from '../../src/diffusion/types.js';
import { TuningThread } from '../../src/engine/host/tuning-thread.js';
import { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { usualSize } from '../../src/engine/worker/networks/sizes.js';
import { readModelFolder, type ModelFolder } from '../../src/model/folder.js';
import { readSettings } from '../../src/settings/settings.js';
import { median, report, type Figure } from './report.js';

/**
 * How near to 100 steps each solver comes in a few, with even times and its default options, and what a step of it costs:
 * `npm run bench -- solvers`, the table of ops/docs/solvers.md. `npm run bench -- solvers` with MILLRACE_MODEL measures
 * another model; MILLRACE_BENCH=errors leaves out the costs, which need a quiet machine.
 */
const { model } = readSettings({ environment: process.env });
const threads = Number(process.env['MILLRACE_THREADS'] ?? availableParallelism());
const rounds = 40;

const folder = await readModelFolder(model);
const usual = { ...defaultParameters(folder), seed: 0 };
const space: Space = { scheduler: folder.scheduler, usual, strength: usual.strength };

/** Error of each solver by calls, null where it makes no such number of calls. */
async function errors(): Promise<ReadonlyMap<SolverName, readonly (number | null)[]>> {
  const pictures = await readPictures(usual, folder.styles, {});
  const held = pictures.map((_, i) => i).filter((i) => i % 2 === 1);
  const job = { model, threads, parameters: usual, reference: referenceFor(space), pictures };
  await using thread = new TuningThread(job, () => {});
  const table = new Map<SolverName, (number | null)[]>();
  for (const [column, calls] of comparedCalls.entries()) {
    for (const candidate of plainCandidates(space, calls)) {
      const row = table.get(candidate.solver) ?? comparedCalls.map(() => null);
      row[column] = await meanError(candidate, (one, picture) => thread.error(one, picture), held);
      table.set(candidate.solver, row);
    }
  }
  return table;
}

/** Returns the time of a step of each solver as a share of a U-Net call, measured in turn. */
async function costs(
  of: ModelFolder,
  solvers: readonly SolverName[],
): Promise<ReadonlyMap<SolverName, number>> {
  await using runtime = await ModelRuntime.load(of, { threads });
  const shape = runtime.latentShape(usualSize(of));
  const random = new Gaussian(1);
  const latent = (): Latent =>
    Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random.next());
  const conditioning = await runtime.embed('');
  const stage = stageAt(createNoiseSchedule(of.scheduler), 499);
  const row = { role: 'positive', stage, input: latent(), conditioning } as const;
  const steppers = solvers.map((name) => {
    const candidates = plainCandidates(space, 4).filter(({ solver }) => solver === name);
    return { name, step: stepper(candidates, latent), shares: [] as number[] };
  });
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await runtime.predict([row], shape);
    const callMs = performance.now() - start;
    for (const { step, shares } of steppers) shares.push(step() / callMs);
  }
  return new Map(steppers.map(({ name, shares }) => [name, median(shares)]));
}

/** Returns what runs a picture through the steps of a solver and returns the milliseconds of one. */
function stepper([candidate]: readonly Candidate[], latent: () => Latent): () => number {
  if (candidate === undefined) return () => NaN;
  const solver = createSolver(space.scheduler, candidate);
  const [sample, eps, noise] = [latent(), latent(), latent()];
  const history = solver.createHistory(sample.length);
  return () => {
    const start = performance.now();
    for (const stage of solver.stages.keys())
      solver.step({ stage, sample, eps, noise, history, out: sample });
    return (performance.now() - start) / solver.stages.length;
  };
}

const table = await errors();
const figures: Figure[] = [];
for (const [solver, row] of table) {
  for (const [i, error] of row.entries())
    if (error !== null)
      figures.push({ what: `${solver}, ${comparedCalls[i] ?? 0} calls`, value: error, unit: '' });
}
const short = (error: number | null): string => (error === null ? '' : error.toFixed(3));
console.log('| Solver | 1 call | 2 calls | 4 calls | 8 calls |\n| --- | --- | --- | --- | --- |');
for (const [solver, row] of table) console.log(`| ${solver} | ${row.map(short).join(' | ')} |`);
if (process.env['MILLRACE_BENCH'] !== 'errors') {
  for (const [solver, share] of await costs(folder, [...table.keys()]))
    figures.push({
      what: `${solver}, a step`,
      value: 100 * share,
      unit: '% of a U-Net call',
      goal: 'under 1',
    });
}
report('solvers', figures);
