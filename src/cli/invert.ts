import { defaultParameters } from '@millrace/protocol';
import { Command } from 'commander';
import { oneLine } from '../engine/as-error.js';
import { checkInversion } from '../diffusion/bdia-inversion.js';
import { createNoiseSchedule } from '../diffusion/schedule.js';
import { solversFor } from '../diffusion/solvers/create.js';
import { SolverError } from '../diffusion/solver-options.js';
import { invertPicture } from '../engine/host/invert-picture.js';
import type { InversionJob } from '../engine/inversion.js';
import { fitImage } from '../image/fit.js';
import { readModelFolder } from '../model/folder.js';
import { findFfmpeg } from '../video/ffmpeg.js';
import { addEngineOptions, readEngineSettings, type EngineFlags } from './engine-options.js';
import { interruptible } from './interruptible.js';
import { findModel } from './model-source.js';
import { openInput } from './run/open-input.js';
import { openOutput } from './run/open-output.js';
import { Progress } from './run/progress.js';
import { RunError } from './run/run-error.js';

interface InvertOptions extends EngineFlags {
  readonly output: string;
  readonly prompt: string;
  readonly edit?: string;
  readonly negativePrompt: string;
  readonly guidanceScale: string;
  readonly steps: string;
  readonly gamma: string;
  readonly overwrite?: true;
  readonly json?: true;
}

const epilogue = `
First finds the noise that leads to the picture under --prompt, then goes back
from it under --edit, so that what the prompts have in common stays as it is.
Each way takes one U-Net call less than --steps, on the CPU. Without --edit, the
result is the picture again, as the VAE of the model shows it. A prompt that
names no style is drawn by the name of the nearest, as in streams.

Exit codes: 0 done, 1 failed, 130 interrupted.`;

/** `millrace invert`: edits one picture, starting from its own noise. */
export function createInvertCommand(): Command {
  const command = new Command('invert')
    .description('edit one picture from its own noise')
    .argument('<picture>', 'an image file')
    .requiredOption('-o, --output <path>', 'the edited picture: .jpg, .png or .webp')
    .requiredOption('-p, --prompt <text>', 'what the picture shows')
    .option('-e, --edit <text>', 'what it should show instead')
    .option('--negative-prompt <text>', 'what it should not show', '')
    .option('--guidance-scale <number>', 'strength of the prompts; 1 is without guidance', '1')
    .option('--steps <integer>', 'steps each way, 2 to 1000', '50')
    .option('--gamma <number>', 'above 0, up to 1: less loses digits at many steps', '1')
    .option('-y, --overwrite', 'replace an existing output')
    .option('--json', 'print figures as JSON on standard output')
    .addHelpText('after', epilogue);
  addEngineOptions(command, ['model', 'threads']);
  return command.action((path: string, options: InvertOptions) =>
    interruptible((signal) => invert(path, options, signal), {
      explain: (error) =>
        error instanceof SolverError ? `--${error.field} ${error.message}` : oneLine(error),
    }),
  );
}

async function invert(path: string, options: InvertOptions, signal: AbortSignal): Promise<void> {
  const inversion = readInversion(options);
  const settings = readEngineSettings(options);
  const root = await findModel(settings.model, signal);
  const folder = await readModelFolder(root);
  const fitting = solversFor(folder.scheduler);
  if (!fitting.includes('BDIAScheduler'))
    throw new RunError(
      `${folder.name} cannot be inverted, which is for diffusion models that predict noise; ` +
        `its solvers are ${fitting.join(', ')}`,
    );
  // Checks the range of steps and gamma before the networks are loaded.
  checkInversion(createNoiseSchedule(folder.scheduler), inversion);
  const ffmpeg = () => findFfmpeg(process.env, signal);
  const input = await openInput(path, { ffmpeg, rate: { numerator: 1, denominator: 1 } });
  if (input.kind !== 'image') throw new RunError(`${path} must be one picture, not a ${input.kind}`);
  const overwrite = options.overwrite ?? false;
  await using output = await openOutput(options.output, { input, ffmpeg, overwrite, crf: null, quality: 95 });
  using progress = new Progress(process.stderr);
  const { width, height } = defaultParameters(folder);
  for await (const { image, time, name } of input.frames()) {
    const { data: pixels } = await fitImage(image, { width, height }, 'cover');
    const startedAt = performance.now();
    const edited = await invertPicture(
      { ...inversion, model: root, threads: settings.threads, size: { width, height }, pixels },
      (news) => {
        if (news.type === 'loading') progress.loading(news.what);
        else progress.update(news.calls, news.total, performance.now() - startedAt);
      },
      signal,
    );
    await output.write({ width, height, data: edited.pixels }, { time, name });
    await output.finish();
    const { calls, deviation } = edited;
    if (options.json) process.stdout.write(`${JSON.stringify({ calls, latent_deviation: deviation })}\n`);
    else process.stderr.write(`${options.output}: ${calls} U-Net calls\n`);
  }
}

type Inversion = Omit<InversionJob, 'model' | 'threads' | 'size' | 'pixels'>;

/** @throws {RunError} if a number is none; its range is checked where it is used. */
function readInversion(options: InvertOptions): Inversion {
  const { prompt, edit = prompt, negativePrompt } = options;
  return {
    prompt,
    edit,
    negativePrompt,
    steps: readNumber('steps', options.steps),
    gamma: readNumber('gamma', options.gamma),
    guidanceScale: readNumber('guidance-scale', options.guidanceScale),
  };
}

function readNumber(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new RunError(`--${flag} must be a number, not ${text}`);
}
