import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { Command } from 'commander';
import { TuningThread } from '../engine/host/tuning-thread.js';
import type { TuningJob } from '../engine/tuning.js';
import { readModelFolder, type ModelFolder } from '../model/folder.js';
import { addEngineOptions, readEngineSettings, type EngineFlags } from './engine-options.js';
import { interruptible, oneLine } from './interruptible.js';
import { findModel } from './model-source.js';
import { Progress } from './run/progress.js';
import { RunError } from './run/run-error.js';
import { referenceFor, type Space } from './tune/candidates.js';
import { Measurements, subjectOf } from './tune/measurements.js';
import { readPictures } from './tune/pictures.js';
import { plotSvg, plotText } from './tune/plot.js';
import { comparedCalls, reportOn, type Report } from './tune/report.js';
import { search, type Scored } from './tune/search.js';
import { effectiveParts, prepareDefaults } from './tune/write-defaults.js';

interface TuneOptions extends EngineFlags {
  readonly budget: string;
  readonly output: string;
  readonly strength?: string;
  readonly pictures?: string;
  readonly prompts?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

const epilogue = `
Compares solvers, their options and times on the CPU, and finds those whose
results come closest to 100 steps from the same noise at the same strength. The
error is the root mean square of the difference of the latents, as a share of
that of the reference. Every second picture is kept for the report.

What was measured is kept in OUTPUT/measurements.json: an interrupted search
goes on from there. The result goes to OUTPUT/tune.json and OUTPUT/tune.svg, and
the parameters to the defaults in the model's millrace.json.

Exit codes: 0 done, 1 failed, 130 interrupted.`;

/** `millrace tune`: finds the solver and the times for a model and a number of U-Net calls. */
export function createTuneCommand(): Command {
  const command = new Command('tune')
    .description('find the best few steps for a model')
    .requiredOption('-b, --budget <calls>', 'U-Net calls for a picture: 1, 2, 4 or 8')
    .option('-o, --output <folder>', 'for the results', 'millrace-tune')
    .option('--strength <number>', 'how much of pictures may change; default: that of the model')
    .option('--pictures <folder>', 'pictures to compare on, instead of six that come with Millrace')
    .option('--prompts <file>', 'a prompt on each line, instead of the styles of the model')
    .option('--dry-run', 'leave millrace.json as it is')
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
  const budget = Number(options.budget);
  if (!comparedCalls.some((calls) => calls === budget))
    throw new RunError(`--budget must be 1, 2, 4 or 8, not ${options.budget}`);
  const settings = readEngineSettings(options);
  const root = await findModel(settings.model, signal);
  const folder = await readModelFolder(root);
  const space = spaceOf(folder, options.strength);
  const pictures = await readPictures(space.usual, folder.styles, options);
  const job: TuningJob = {
    model: root,
    threads: settings.threads,
    parameters: space.usual,
    reference: referenceFor(space),
    pictures,
  };
  await mkdir(options.output, { recursive: true });
  const path = join(options.output, 'measurements.json');
  const subject = await subjectOf(folder, job);
  await using measurements = await Measurements.open(path, subject);
  if (measurements.size > 0)
    process.stderr.write(`goes on with ${measurements.size} measurements of ${path}\n`);
  using progress = new Progress(process.stderr);
  await using thread = new TuningThread(job, (what) => progress.say(`${what}...`));
  const stop = (): void => void thread[Symbol.asyncDispose]();
  signal.addEventListener('abort', stop, { once: true });
  const measure = measurements.remember((candidate, picture) => thread.error(candidate, picture));

  const searched = pictures.map((_, i) => i).filter((i) => i % 2 === 0);
  const found = await search(space, measure, { budget, pictures: searched, onTrial: showTrials(progress) });
  if (found === null) throw new RunError(`no solver of this model makes exactly ${budget} U-Net calls`);
  progress.say('measuring on other pictures...');
  const held = pictures.map((_, i) => i).filter((i) => i % 2 === 1);
  const report = await reportOn(space, found.candidate, { measure, pictures: held, budget });
  signal.throwIfAborted();
  progress.say('');
  await show(options, { folder, found, report, budget });
  await writeBack(options, folder, report, found);
}

/** @throws {RunError} if the strength is invalid, or the model does not change pictures. */
function spaceOf(folder: ModelFolder, strength?: string): Space {
  const usual: StreamParameters = { ...defaultParameters(folder), seed: 0, latent_feedback: 0 };
  if (folder.modes && !folder.modes.includes('img2img'))
    throw new RunError(`${folder.name} does not change pictures (img2img), which tune compares`);
  const share = strength === undefined ? usualStrength(usual) : Number(strength);
  if (!(share > 0 && share <= 1))
    throw new RunError(`--strength must be above 0, up to 1, not ${strength ?? share}`);
  return { scheduler: folder.scheduler, usual, strength: share };
}

/** Returns the strength of parameters, also if they list times. */
function usualStrength({ t_index_list: list, num_inference_steps, strength }: StreamParameters): number {
  return list === null ? strength : 1 - (list[0] ?? 0) / num_inference_steps;
}

const barWidth = 24;

/** Shows trials as a bar on a terminal, and elsewhere as a line at the end of each stage. */
function showTrials(progress: Progress): (stage: string, done: number, total: number, best: number) => void {
  return (stage, done, total, best) => {
    const bar = '#'.repeat(Math.round((done / total) * barWidth)).padEnd(barWidth, '-');
    const text = `${stage}: ${done}/${total} trials, best error ${best.toFixed(4)}`;
    progress.say(`[${bar}] ${text}`);
    if (done === total && !process.stderr.isTTY) process.stderr.write(`${text}\n`);
  };
}

interface Result {
  readonly folder: ModelFolder;
  readonly found: Scored;
  readonly report: Report;
  readonly budget: number;
}

/** Prints the table and the plot, and writes the result files. */
async function show(options: TuneOptions, { folder, found, report, budget }: Result): Promise<void> {
  const { curves, rows, usual, tuned } = report;
  const parameters = effectiveParts(found.candidate);
  const result = {
    model: folder.name,
    budget,
    parameters,
    searched_error: found.error,
    usual,
    tuned,
    curves,
  };
  const title = `${folder.name}: error to 100 steps, by U-Net calls`;
  await writeFile(join(options.output, 'tune.json'), `${JSON.stringify(result, null, 2)}\n`);
  await writeFile(join(options.output, 'tune.svg'), plotSvg(curves, title));
  if (options.json) return void process.stdout.write(`${JSON.stringify(result)}\n`);
  const width = Math.max(...rows.map(({ name }) => name.length));
  process.stdout.write(`\n${title}\n\n${plotText(curves)}\n\n`);
  for (const { name, calls, error } of rows)
    process.stdout.write(`${name.padEnd(width)}  ${String(calls).padStart(2)} calls  ${show4(error)}\n`);
  process.stdout.write(`\n${JSON.stringify(parameters)}\n`);
}

/** Says what changes in millrace.json, and writes it unless it is a dry run or no gain. */
async function writeBack(
  { dryRun, json }: TuneOptions,
  { root }: ModelFolder,
  { usual, tuned }: Report,
  { candidate }: Scored,
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

function show4(error: number | null): string {
  return error === null ? 'cannot be drawn' : error.toFixed(4);
}
