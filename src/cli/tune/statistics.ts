import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parameterSchemas, type StreamParameters } from '@millrace/protocol';
import { createNoiseSchedule } from '../../diffusion/schedule.js';
import { createSolver, solversFor } from '../../diffusion/solvers/create.js';
import { statisticsOf } from '../../diffusion/solvers/measure-statistics.js';
import { SolverError } from '../../diffusion/solver-options.js';
import { blankStatistics, type ModelStatistics } from '../../diffusion/statistics.js';
import { TuningThread } from '../../engine/host/tuning-thread.js';
import { barText, clock, Progress } from '../run/progress.js';
import { RunError } from '../run/run-error.js';
import { candidateOf, plainCandidate } from './candidates.js';
import { Measurements, subjectOf } from './measurements.js';
import type { CommonOptions, Prepared } from './prepare.js';
import { replaceFile } from './replace-file.js';
import { comparedCalls, meanError, tableText, type Row } from './report.js';
import type { Measure } from './search.js';

/** The solver that the statistics are for, and the one that it equals without them. */
const solver = 'DPMSolverV3Scheduler';
const solverWithout = 'DPMSolverMultistepScheduler';

/** Most steps of the schedules of sessions, as a rule. */
const usualSteps = 50;

/** The options of `--statistics`, as given. */
export interface StatisticsOptions {
  readonly samples?: string;
  readonly intervals?: string;
  readonly guidanceScale?: string;
}

interface Chosen {
  readonly samples: number;
  readonly intervals: number;
  /** null: that of the model. */
  readonly guidanceScale: number | null;
}

/** @throws {RunError} if one is out of range. */
export function readStatisticsOptions(options: StatisticsOptions): Chosen {
  const { samples = '8', intervals = '120', guidanceScale } = options;
  const { maximum = Infinity } = parameterSchemas.guidance_scale;
  const scale = guidanceScale === undefined ? null : Number(guidanceScale);
  if (scale !== null && !(scale >= 1 && scale <= maximum))
    throw new RunError(`--guidance-scale must be from 1 (none) to ${maximum}, not ${guidanceScale}`);
  return {
    samples: readCount('samples', samples, { least: 1, most: 4096 }),
    intervals: readCount('intervals', intervals, { least: 2, most: 2000 }),
    guidanceScale: scale,
  };
}

function readCount(
  name: string,
  text: string,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= least && count <= most) return count;
  throw new RunError(`--${name} must be a whole number from ${least} to ${most}, not ${text}`);
}

/** Measures the statistics of a model for DPM-Solver-v3, and adds them to it. */
export async function tuneStatistics(
  prepared: Prepared,
  options: CommonOptions,
  { samples, intervals, guidanceScale, signal }: Chosen & { readonly signal: AbortSignal },
): Promise<void> {
  const { folder } = prepared;
  const { usual } = prepared.space;
  const scale = guidanceScale ?? (usual.cfg_type === 'full' ? usual.guidance_scale : 1);
  const guided = withGuidance(prepared, scale);
  checkModel(guided, intervals);
  await mkdir(options.output, { recursive: true });
  using progress = new Progress(process.stderr);
  const paths = await followPaths(guided, { samples, intervals, signal, progress, output: options.output });
  const statistics = statisticsOf(createNoiseSchedule(folder.scheduler), intervals, paths);
  const { l, s, b } = statistics;
  if (![l, s, b].every((values) => values.every(Number.isFinite)))
    throw new RunError(
      `the statistics of ${folder.name} are not finite; try more --samples, or another guidance`,
    );
  progress.say('comparing on other pictures...');
  const rows = await compare(guided, statistics, { signal, progress });
  progress.say('');
  const facts = { guidance_scale: scale, samples };
  const file = `${JSON.stringify({ ...facts, l: [...l], s: [...s], b: [...b] })}\n`;
  const name = 'dpm_solver_v3.json';
  await replaceFile(join(options.output, name), file);
  const path = join(folder.root, name);
  if (!options.dryRun) await replaceFile(path, file);
  const written = options.dryRun ? null : path;
  if (options.json) {
    const result = { model: folder.name, ...facts, intervals, written, errors: rows };
    return void process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  const title = `${folder.name}: error to 100 steps at even times, guidance ${scale}`;
  const end =
    written === null ? 'the model stays as it is (--dry-run)' : `${path} written: sessions can use ${solver}`;
  process.stdout.write(`${title}\n\n${tableText(rows)}\n${end}\n`);
}

/** Statistics hold for one guidance: that of a prompt alone, or with a negative one. */
function withGuidance(prepared: Prepared, scale: number): Prepared {
  const { space, job } = prepared;
  const guidance = { cfg_type: scale > 1 ? 'full' : 'none', guidance_scale: scale } as const;
  const usual: StreamParameters = { ...space.usual, ...guidance };
  return { ...prepared, space: { ...space, usual }, job: { ...job, parameters: usual } };
}

/** @throws {RunError} if the model has no use for such statistics, which the message explains. */
function checkModel({ folder, space: { scheduler, usual } }: Prepared, intervals: number): void {
  const { name, selfGuided } = folder;
  const values = new Float64Array(intervals + 1);
  const blank = {
    ...scheduler,
    statistics: blankStatistics({ elements: 1, l: values, s: values, b: values }),
  };
  if (!solversFor(blank).includes(solver))
    throw new RunError(
      `${name} cannot use ${solver}, which is for diffusion models that predict noise; ` +
        `its solvers are ${solversFor(scheduler).join(', ')}`,
    );
  if (selfGuided && usual.cfg_type === 'full')
    throw new RunError(`--guidance-scale must be 1 for ${name}, which guides itself`);
  const steps = Math.min(usualSteps, usual.num_inference_steps);
  try {
    const whole = { num_inference_steps: steps, t_index_list: null, solver_order: 2 } as const;
    createSolver(blank, { ...candidateOf(usual), ...whole, solver, solver_schedule: null });
  } catch (error) {
    if (!(error instanceof SolverError)) throw error;
    throw new RunError(`--intervals must be more than ${intervals} for schedules of ${steps} steps`);
  }
}

interface PathOptions {
  readonly samples: number;
  readonly intervals: number;
  readonly output: string;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/** Returns the moments of each sample along the model's ODE. Those of an interrupted measurement are kept. */
async function followPaths(
  { folder, job, searched }: Prepared,
  { samples, intervals, output, signal, progress }: PathOptions,
): Promise<readonly (readonly number[])[]> {
  const path = join(output, 'statistics.json');
  // Statistics that the model has already change nothing.
  const scheduler = { ...folder.scheduler, statistics: null };
  const subject = await subjectOf({ ...folder, scheduler }, job, intervals);
  await using known = await Measurements.open<readonly number[]>(path, subject);
  const start = Math.min(known.size, samples);
  if (start > 0) process.stderr.write(`goes on after sample ${start} of ${path}\n`);
  let sample = start;
  const startedAt = performance.now();
  const showLevels = (done: number, levels: number): void => {
    const total = samples * levels;
    const all = sample * levels + done;
    const left = ((total - all) / (all - start * levels)) * (performance.now() - startedAt);
    const text = `sample ${sample + 1}/${samples}, noise level ${done}/${levels}`;
    progress.say(`[${barText(all, total)}] ${text}  ${clock(left / 1000)} left`);
  };
  await using thread = new TuningThread(job, {
    signal,
    onLoading: progress.loading,
    onFollowing: showLevels,
  });
  const paths: (readonly number[])[] = [];
  for (let seed = 0; seed < samples; seed++) {
    const picture = searched[seed % searched.length] ?? 0;
    const moments = await known.get(`${seed}`, async () => {
      sample = seed;
      const found = Array.from(await thread.path({ picture, seed, intervals }));
      if (!process.stderr.isTTY) process.stderr.write(`sample ${seed + 1}/${samples} measured\n`);
      return found;
    });
    paths.push(moments);
  }
  return paths;
}

/** Returns the errors with the statistics, and those of the solver that it equals without them. */
async function compare(
  { space, job, held }: Prepared,
  statistics: ModelStatistics,
  { signal, progress }: Pick<PathOptions, 'signal' | 'progress'>,
): Promise<readonly Row[]> {
  signal.throwIfAborted();
  await using thread = new TuningThread({ ...job, statistics }, { signal, onLoading: progress.loading });
  const measured = { ...space, scheduler: { ...space.scheduler, statistics } };
  const measure: Measure = (candidate, picture) => thread.error(candidate, picture);
  const rows: Row[] = [];
  for (const name of [solver, solverWithout] as const) {
    for (const calls of comparedCalls) {
      const candidate = plainCandidate(measured, name, calls);
      rows.push({ name, calls, error: candidate ? await meanError(candidate, measure, held) : null });
    }
  }
  return rows;
}
