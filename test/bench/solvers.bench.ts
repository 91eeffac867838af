import { availableParallelism } from 'node:os';
import process from 'node:process';
import { defaultParameters, solverNames, type SolverName } from '@millrace/protocol';
import { plainCandidate, plainCandidates, referenceFor, type Space } from '../../src/cli/tune/candidates.js';
import { readPictures } from '../../src/cli/tune/pictures.js';
import { comparedCalls, meanError } from '../../src/cli/tune/report.js';
import { Gaussian } from '../../src/diffusion/gaussian.js';
import { createSolver, predictionsFor } from '../../src/diffusion/solvers/create.js';
import { stageAt } from '../../src/diffusion/solvers/paths/timesteps.js';
import { createNoiseSchedule, type SchedulerConfig } from '../../src/diffusion/schedule.js';
import { blankStatistics } from '../../src/diffusion/statistics.js';
import type { Latent, Solver } from '../../src/diffusion/types.js';
import { TuningThread } from '../../src/engine/host/tuning-thread.js';
import { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { usualSize } from '../../src/engine/worker/networks/sizes.js';
import { readModelFolder, type ModelFolder } from '../../src/model/folder.js';
import { readSettings } from '../../src/settings/settings.js';
import { median, report, type Figure } from './report.js';

/**
 * How near to 100 steps each solver comes in a few, with even times and its default options, and what a step of it costs:
 * `npm run bench -- solvers`, the table of ops/docs/solvers.md. `npm run bench -- solvers` with MILLRACE_MODEL measures
 * another model. MILLRACE_BENCH=errors leaves out the costs, which need a quiet machine; MILLRACE_BENCH=costs measures them
 * alone, in less than a minute.
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
  await using thread = new TuningThread(job, { onLoading: () => {} });
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

/** What a step of each solver costs; those of other models too, since a step costs the same with all models. */
interface Costs {
  readonly callMs: number;
  /** Times of a step as shares of a U-Net call, by solver. */
  readonly shares: ReadonlyMap<string, number>;
}

/** Measures a U-Net call of one row and a step of each solver in turn. */
async function costs(of: ModelFolder): Promise<Costs> {
  await using runtime = await ModelRuntime.load(of, { threads });
  const shape = runtime.latentShape(usualSize(of));
  const random = new Gaussian(1);
  const latent = (): Latent =>
    Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random.next());
  const conditioning = await runtime.embed('');
  const stage = stageAt(createNoiseSchedule(of.scheduler), 499);
  const row = { role: 'positive', stage, input: latent(), conditioning } as const;
  const steppers = [
    ...solverNames.map((name) => [name, solverFor(name, configFor(name))] as const),
    ['mean-reverting', solverFor('DPMSolverMultistepScheduler', meanReverting)] as const,
    ['another solver in each step', mixedSolver()] as const,
  ].map(([label, solver]) => ({ label, step: stepper(solver, latent), shares: [] as number[] }));
  const calls: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await runtime.predict([row], shape);
    const callMs = performance.now() - start;
    calls.push(callMs);
    for (const { step, shares } of steppers) shares.push(step() / callMs);
  }
  const shares = new Map<string, number>(steppers.map(({ label, shares: all }) => [label, median(all)]));
  return { callMs: median(calls), shares };
}

const meanReverting: SchedulerConfig = { mean_reverting: { max_sigma: 50, T: 100, eps: 0.005 } };

/** Returns the configuration of a model that a solver is for. */
function configFor(name: SolverName): SchedulerConfig {
  const values = new Float64Array(121);
  const statistics = blankStatistics({ elements: 1, l: values, s: values, b: values });
  const [prediction_type] = predictionsFor(name);
  return { ...space.scheduler, prediction_type, statistics };
}

/** Returns a solver of about four stages. */
function solverFor(name: SolverName, scheduler: SchedulerConfig): Solver {
  for (const calls of [4, 5, 3, 2, 1]) {
    const candidate = plainCandidate({ ...space, scheduler }, name, calls);
    if (candidate) return createSolver(scheduler, candidate);
  }
  throw new RangeError(`${name} makes no steps`);
}

/** Returns a solver of four stages, each by another one with a history. */
function mixedSolver(): Solver {
  const scheduler = configFor('UniPCMultistepScheduler');
  const candidate = plainCandidate({ ...space, scheduler }, 'UniPCMultistepScheduler', 4);
  if (!candidate) throw new RangeError('UniPC makes no four steps');
  const solver_schedule = [
    'GHVBScheduler',
    'DEISMultistepScheduler',
    'DPMSolverMultistepScheduler',
    'UniPCMultistepScheduler',
  ] as const;
  return createSolver(scheduler, { ...candidate, solver_schedule });
}

/** Returns what runs a picture through the steps of a solver and returns the milliseconds of one. */
function stepper(solver: Solver, latent: () => Latent): () => number {
  const [sample, eps, noise] = [latent(), Float64Array.from(latent()), latent()];
  const history = solver.createHistory(sample.length);
  return () => {
    const out = sample.slice();
    const start = performance.now();
    for (const stage of solver.stages.keys()) solver.step({ stage, sample: out, eps, noise, history, out });
    return (performance.now() - start) / solver.stages.length;
  };
}

const part = process.env['MILLRACE_BENCH'];
const figures: Figure[] = [];
if (part !== 'costs') {
  const table = await errors();
  for (const [solver, row] of table) {
    for (const [i, error] of row.entries())
      if (error !== null)
        figures.push({ what: `${solver}, ${comparedCalls[i] ?? 0} calls`, value: error, unit: '' });
  }
  const short = (error: number | null): string => (error === null ? '' : error.toFixed(3));
  console.log('| Solver | 1 call | 2 calls | 4 calls | 8 calls |\n| --- | --- | --- | --- | --- |');
  for (const [solver, row] of table) console.log(`| ${solver} | ${row.map(short).join(' | ')} |`);
}
if (part !== 'errors') {
  const { callMs, shares } = await costs(folder);
  figures.push({ what: 'a U-Net call of one row', value: callMs, unit: 'ms' });
  for (const [solver, share] of shares)
    figures.push({
      what: `${solver}, a step`,
      value: 100 * share,
      unit: '% of a U-Net call',
      goal: 'under 1',
    });
}
report('solvers', figures);
