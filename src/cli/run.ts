import { understoodInWords, type ModelControl, type UnderstoodPrompt } from '@millrace/protocol';
import { Command } from 'commander';
import { ParameterError } from '../engine/engine.js';
import { createEngines, engineSettings } from '../engine/host/engine-group.js';
import { partNames, type ModelPart } from '../engine/model-part.js';
import { readModelFolder } from '../model/folder.js';
import { activeControls, type ActiveControl } from '../engine/active-controls.js';
import { createParameterRules } from '../session/live/parameter-rules.js';
import { findFfmpeg, type Ffmpeg } from '../video/ffmpeg.js';
import { parseRational } from '../video/timing.js';
import { addEngineOptions, readEngineSettings, type EngineFlags } from './engine-options.js';
import { interruptible, oneLine, rejection } from './interruptible.js';
import { findModel } from './model-source.js';
import { generate } from './run/generate.js';
import { openInput } from './run/open-input.js';
import { openOutput } from './run/output.js';
import { addParameterOptions, parametersFrom } from './run/parameter-options.js';
import { Progress } from './run/progress.js';
import { Figures, remarkLines, remarksOf, type Report } from './run/report.js';
import { RunError } from './run/run-error.js';
import { readStyleImage } from './run/style-image.js';

interface RunOptions extends EngineFlags, Readonly<Record<string, unknown>> {
  readonly output: string;
  readonly prompt: string;
  readonly size?: string;
  readonly styleImage?: string;
  readonly fps: string;
  readonly crf?: string;
  readonly quality: string;
  readonly overwrite?: true;
  readonly json?: true;
}

const epilogue = `
The extension decides the output: a video (.mp4, .m4v, .mov, .mkv with H.264,
.webm with VP9), an image (.jpg, .png, .webp) or else a folder of images. Each
input frame gives one output frame, in order and at the same time. Sound,
subtitles and chapters of a video are kept if the output can hold them; tracks
that are encoded again or left out are listed. Files of a folder that are not
pictures are passed over.

MILLRACE_FFMPEG names the ffmpeg to use. Without it, the one on the PATH is
used, or the one that comes with Millrace (slower, no AV1, VP8 instead of VP9).

Exit codes: 0 done, 1 failed, 130 interrupted.`;

/** `millrace run`: takes a file through the engine to a file. */
export function createRunCommand(): Command {
  const command = new Command('run')
    .description('restyle a video, a folder of images or one image')
    .argument('<input>', 'a video file, a folder of images or one image')
    .requiredOption('-o, --output <path>', 'the output; its extension decides the format')
    .requiredOption('-p, --prompt <text>', 'what the output should look like')
    .option('-y, --overwrite', 'replace an existing output')
    .option('--json', 'print figures of the run as JSON on standard output')
    .option('--size <WxH>', "size of the output in pixels (default: the model's own)")
    .option('--fps <rate>', 'frame rate of a video made of images, such as 25 or 30000/1001', '25')
    .option('--crf <number>', 'quality of the video, lower is better (default: 18 for H.264, 30 for VP9)')
    .option('--quality <number>', 'quality of JPEG and WebP images, 1 to 100', '90')
    .addHelpText('after', epilogue);
  addEngineOptions(command);
  addParameterOptions(command);
  return command.action((path: string, options: RunOptions) =>
    interruptible(
      async (signal) => {
        const report = await run(path, options, signal);
        if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
        else process.stderr.write(`${options.output}: ${inWords(report)}\n`);
        for (const line of remarkLines(report)) process.stderr.write(`${line}\n`);
        if (report.damage !== null) {
          process.stderr.write(`${path} is damaged, not all of it could be decoded: ${report.damage}\n`);
        }
      },
      { explain },
    ),
  );
}

async function run(path: string, options: RunOptions, signal: AbortSignal): Promise<Report> {
  const settings = readEngineSettings(options);
  const rate = parseRational(options.fps);
  if (!rate)
    throw new RunError(`--fps must be a number or a fraction such as 30000/1001, not ${options.fps}`);
  const crf = options.crf === undefined ? null : readInteger('crf', options.crf, [0, 63]);
  const quality = readInteger('quality', options.quality, [1, 100]);
  const folder = await findModel(settings.model, signal);
  const model = await readModelFolder(folder);
  const { styleImage } = options;
  const parameters = {
    ...parametersFrom(options),
    ...readSize(options.size),
    prompt: options.prompt,
    ...(styleImage !== undefined && { style_image: await readStyleImage(styleImage, model.styleImageSide) }),
  };
  const rules = createParameterRules(model);
  const all = { ...rules.defaults, ...rules.check(parameters) };
  checkPreprocessors(activeControls(rules.controls, all), rules.controls);

  let found: Promise<Ffmpeg> | undefined;
  const ffmpeg = (): Promise<Ffmpeg> => (found ??= findFfmpeg(process.env, signal));
  const input = await openInput(path, { ffmpeg, rate });
  const overwrite = options.overwrite ?? false;
  await using output = await openOutput(options.output, { input, ffmpeg, overwrite, crf, quality });

  using progress = new Progress(process.stderr);
  let flagged = 0;
  await using engine = createEngines({
    model: folder,
    ...engineSettings(settings),
    observer: {
      onState: (state) => 'what' in state && progress.say(`${state.what}...`),
      onNote: (note) => progress.note(note),
      onEvent(event) {
        if (event.type === 'not_finite') progress.note(notFinite(event.part));
        if (event.type === 'flagged') flagged += 1;
      },
    },
  });
  await Promise.race([engine.start(), rejection(signal)]);

  const onUnderstood = (prompts: readonly UnderstoodPrompt[]): void => {
    for (const prompt of prompts) progress.note(`"${prompt.text}": ${understoodInWords(prompt)}`);
  };
  const figures = new Figures();
  for await (const frame of generate(
    engine,
    { parameters: all, controls: rules.controls, onUnderstood },
    input.frames((words) => figures.damaged(words)),
    signal,
  )) {
    const startedAt = performance.now();
    await output.write(frame.image, frame);
    figures.add(frame, performance.now() - startedAt);
    progress.update(figures.frames, input.total, figures.elapsed);
  }
  if (figures.frames === 0) throw new RunError(`${path} has no frame that can be decoded`);
  const remarks = remarksOf(input, output);
  const checked = flagged > 0 ? [`frames that the safety checker flagged, and are blurred: ${flagged}`] : [];
  const report = figures.report({ ...remarks, notes: [...remarks.notes, ...checked] });
  await output.finish();
  return report;
}

/** @throws {RunError} if a control that is on needs pictures of its own, which there are none of. */
function checkPreprocessors(controls: readonly ActiveControl[], offered: readonly ModelControl[]): void {
  const bare = controls.find(({ preprocessor }) => preprocessor === null)?.name;
  if (bare === undefined) return;
  const all = offered.find(({ name }) => name === bare)?.preprocessors ?? [];
  throw new RunError(
    `--control ${bare} needs a preprocessor, as in ${bare}=1,preprocessor=NAME, where NAME is one of ${all.join(', ')}`,
  );
}

function notFinite(part: ModelPart): string {
  return `the ${partNames[part]} computed NaN or infinite values`;
}

function inWords({ frames_out: frames, fps }: Report): string {
  return frames === 1 ? 'one frame' : `${frames} frames, ${fps} a second`;
}

function readSize(text: string | undefined): { width?: number; height?: number } {
  if (text === undefined) return {};
  const [, width, height] = /^(\d+)x(\d+)$/i.exec(text) ?? [];
  if (width === undefined) throw new RunError(`--size must be WIDTHxHEIGHT such as 512x384, not ${text}`);
  return { width: Number(width), height: Number(height) };
}

function readInteger(flag: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RunError(`--${flag} must be an integer from ${least} to ${most}, not ${text}`);
}

function explain(error: unknown): string {
  const message = oneLine(error);
  const named = error instanceof ParameterError && !message.startsWith(error.field);
  return named ? `${error.field} ${message}` : message;
}
