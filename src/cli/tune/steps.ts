import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TuningThread } from '../../engine/host/tuning-thread.js';
import type { ModelFolder } from '../../model/folder.js';
import { barText, Progress } from '../run/progress.js';
import { RunError } from '../run/run-error.js';
import { Measurements, subjectOf } from './measurements.js';
import { plotSvg, plotText } from './plot.js';
import type { CommonOptions, Prepared } from './prepare.js';
import { reportOn, tableText, type Report } from './report.js';
import { search, type Found, type Measure } from './search.js';
import { effectiveParts, prepareDefaults } from './write-defaults.js';

/** Finds the solvers, their options and the times of a model for a number of U-Net calls. */
export async function tuneSteps(
  { folder, space, job, searched, held }: Prepared,
  options: CommonOptions,
  { budget, signal }: { readonly budget: number; readonly signal: AbortSignal },
): Promise<void> {
  await mkdir(options.output, { recursive: true });
  const path = join(options.output, 'measurements.json');
  await using measurements = await Measurements.open<number | null>(path, await subjectOf(folder, job));
  if (measurements.size > 0)
    process.stderr.write(`goes on with ${measurements.size} measurements of ${path}\n`);
  using progress = new Progress(process.stderr);
  await using thread = new TuningThread(job, { signal, onLoading: progress.loading });
  const measure: Measure = async (candidate, picture) =>
    measurements.get(`${picture} ${JSON.stringify(candidate)}`, async () => thread.error(candidate, picture));

  const found = await search(space, measure, { budget, pictures: searched, onTrial: showTrials(progress) });
  if (found === null) throw new RunError(`no solver of this model makes exactly ${budget} U-Net calls`);
  progress.say('measuring on other pictures...');
  const report = await reportOn(space, found, { measure, pictures: held, budget });
  signal.throwIfAborted();
  progress.say('');
  await show(options, { folder, found, report, budget });
  await writeBack(options, folder, report, found);
}

/** Shows trials as a bar on a terminal, and elsewhere as a line at the end of each stage. */
function showTrials(progress: Progress): (stage: string, done: number, total: number, best: number) => void {
  return (stage, done, total, best) => {
    const text = `${stage}: ${done}/${total} trials, best error ${best.toFixed(4)}`;
    progress.say(`[${barText(done, total)}] ${text}`);
    if (done === total && !process.stderr.isTTY) process.stderr.write(`${text}\n`);
  };
}

interface Result {
  readonly folder: ModelFolder;
  readonly found: Found;
  readonly report: Report;
  readonly budget: number;
}

/** Prints the table and the plot, and writes the result files. */
async function show(options: CommonOptions, { folder, found, report, budget }: Result): Promise<void> {
  const { curves, rows, usual, tuned, uniform } = report;
  const parameters = effectiveParts(found.candidate);
  const result = {
    model: folder.name,
    budget,
    parameters,
    searched_error: found.error,
    usual,
    tuned,
    uniform,
    curves,
  };
  const title = `${folder.name}: error to 100 steps, by U-Net calls`;
  await writeFile(join(options.output, 'tune.json'), `${JSON.stringify(result, null, 2)}\n`);
  await writeFile(join(options.output, 'tune.svg'), plotSvg(curves, title));
  if (options.json) return void process.stdout.write(`${JSON.stringify(result)}\n`);
  const shown = [title, plotText(curves), tableText(rows)].join('\n\n');
  process.stdout.write(`\n${shown}\n${JSON.stringify(parameters)}\n`);
}

/** Says what changes in millrace.json, and writes it unless it is a dry run or no gain. */
async function writeBack(
  { dryRun, json }: CommonOptions,
  { root }: ModelFolder,
  { usual, tuned }: Report,
  { candidate }: Found,
): Promise<void> {
  const say = (text: string): void => void (json ? process.stderr : process.stdout).write(`${text}\n`);
  if (usual !== null && usual.calls <= tuned.calls && usual.error <= tuned.error)
    return say(
      'on pictures that were not searched on, the present defaults are as near: millrace.json stays as it is',
    );
  const path = join(root, 'millrace.json');
  const { changes, write } = await prepareDefaults(path, candidate);
  say(`\n${path}, defaults:`);
  for (const { name, from, to } of changes)
    say(`  ${name}: ${JSON.stringify(from) ?? 'none'} -> ${JSON.stringify(to)}`);
  if (dryRun) return say('left as it is (--dry-run)');
  await write();
  say('written');
}
