import { Command } from 'commander';
import { oneLine } from '../engine/as-error.js';
import { flagOf } from '../settings/setting.js';
import { addEngineOptions } from './engine-options.js';
import { interruptible } from './interruptible.js';
import { RunError } from './run/run-error.js';
import { prepare, type CommonOptions } from './tune/prepare.js';
import { comparedCalls } from './tune/report.js';
import { readStatisticsOptions, tuneStatistics, type StatisticsOptions } from './tune/statistics.js';
import { tuneSteps } from './tune/steps.js';

interface TuneOptions extends CommonOptions, StatisticsOptions {
  readonly budget?: string;
  readonly statistics?: true;
}

const epilogue = `
With --budget, compares solvers, their options and times on the CPU, also with
another solver in each step, and finds those whose results come closest to 100
steps from the same noise at the same strength. The error is the root mean
square of the difference of the latents, as a share of that of the reference.
Every second picture is kept for the report. The result goes to OUTPUT/tune.json
and OUTPUT/tune.svg, and the parameters to the defaults in the model's
millrace.json.

With --statistics, measures what DPM-Solver-v3 needs to know of a model, at one
guidance scale, and writes it to dpm_solver_v3.json in OUTPUT and in the model.
Sessions can then choose DPMSolverV3Scheduler. It takes 8 U-Net calls for each
sample and interval, twice as many with guidance.

What was measured is kept in OUTPUT: the same command goes on after it was
interrupted.

Exit codes: 0 done, 1 failed, 130 interrupted.`;

/** `millrace tune`: finds the solver and the times for a model and a number of U-Net calls, or measures its statistics. */
export function createTuneCommand(): Command {
  const command = new Command('tune')
    .description('find the best few steps for a model')
    .option('-b, --budget <calls>', 'U-Net calls for a picture: 1, 2, 4 or 8')
    .option('--statistics', 'measure the statistics for DPM-Solver-v3 instead')
    .option('-o, --output <folder>', 'for the results', 'millrace-tune')
    .option('--strength <number>', 'how much of pictures may change; default: that of the model')
    .option('--pictures <folder>', 'pictures to compare on, instead of six that come with Millrace')
    .option('--prompts <file>', 'a prompt on each line, instead of the styles of the model')
    .option('--samples <integer>', 'with --statistics: samples to average over; default: 8')
    .option('--intervals <integer>', 'with --statistics: intervals of noise levels; default: 120')
    .option('--guidance-scale <number>', 'with --statistics: default: that of the model')
    .option('--dry-run', 'leave the model as it is')
    .option('--json', 'print the result as JSON on standard output')
    .addHelpText('after', epilogue);
  addEngineOptions(command, ['model', 'threads']);
  return command.action((options: TuneOptions) =>
    interruptible((signal) => tune(options, signal), {
      explain: oneLine,
      interrupted: 'interrupted; what was measured is kept, and the same command goes on from there',
    }),
  );
}

async function tune(options: TuneOptions, signal: AbortSignal): Promise<void> {
  if (options.statistics) {
    if (options.budget !== undefined)
      throw new RunError('--budget and --statistics are two measurements; give one of them');
    const chosen = readStatisticsOptions(options);
    return tuneStatistics(await prepare(options, signal), options, { ...chosen, signal });
  }
  const only = (['samples', 'intervals', 'guidanceScale'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (only !== undefined) throw new RunError(`${flagOf(only)} is for --statistics`);
  const budget = Number(options.budget);
  if (!comparedCalls.some((calls) => calls === budget))
    throw new RunError(
      `--budget must be 1, 2, 4 or 8, not ${options.budget ?? 'absent'} (or give --statistics)`,
    );
  await tuneSteps(await prepare(options, signal), options, { budget, signal });
}
