import {
  understoodInWords,
  type ModelControl,
  type ParameterUpdate,
  type UnderstoodPrompt,
} from '@millrace/protocol';
import { activeControls, type ActiveControl } from '../../engine/active-controls.js';
import type { Size } from '../../image/image.js';
import { findFfmpeg, type Ffmpeg } from '../../video/ffmpeg.js';
import { secretsHider } from '../../video/secrets.js';
import { readEngineSettings } from '../engine-options.js';
import type { Interrupts } from '../interruptible.js';
import { generate } from './generate.js';
import type { InputFrame } from './input.js';
import { openLocalPainter } from './local-painter.js';
import { readLook } from './look.js';
import { newestOf } from './newest-of.js';
import { openInput } from './open-input.js';
import { openOutput } from './open-output.js';
import type { Painter, PainterObserver } from './painter.js';
import { parametersFrom } from './parameter-options.js';
import { Progress } from './progress.js';
import { openRemotePainter } from './remote-painter.js';
import { Figures, remarksOf, type Report } from './report.js';
import { RunError } from './run-error.js';
import { readMediaOptions, type RunOptions } from './run-options.js';
import { Scratch } from './scratch.js';
import { shapeOf } from './shape.js';
import { readTimeline, Timeline, type Change } from './timeline.js';

/** Returns a function that takes the passwords and keys of this run out of a text. */
export function hiderFor(path: string, { output, server = '' }: RunOptions): (text: string) => string {
  return secretsHider([path, output, server]);
}

/**
 * Takes an input through an engine or a server to an output. Errors may name the addresses as they are.
 * @returns what there is to tell about it, without secrets.
 */
export async function run(
  path: string,
  options: RunOptions,
  signal: AbortSignal,
  interrupts: Interrupts,
): Promise<Report> {
  const hide = hiderFor(path, options);
  const media = readMediaOptions(options);
  const changes = options.timeline === undefined ? [] : await readTimeline(options.timeline);
  using progress = new Progress(process.stderr);
  let flagged = 0;
  await using painter = await openPainter(options, signal, {
    onWait: (what) => progress.say(hide(what)),
    onNote: (text) => progress.note(hide(text)),
    onFlagged: () => (flagged += 1),
  });
  const chosen = await startParameters(options, { changes, size: media.size }, painter);
  const parameters = { ...painter.defaults, ...chosen };
  const later = changes.filter(({ at }) => at > 0);
  for (const { parameters: update } of later) painter.check(update);
  checkPreprocessors(activeControls(painter.controls, parameters), painter.controls);

  await using scratch = new Scratch();
  let found: Promise<Ffmpeg> | undefined;
  const ffmpeg = (): Promise<Ffmpeg> => (found ??= findFfmpeg(process.env, signal));
  // A stop ends what reads, but not what writes; so does a failure before all was read.
  using reading = new Reading();
  const stopped = AbortSignal.any([signal, interrupts.stop, reading.signal]);
  const reader = async (): Promise<Ffmpeg> => ({ ...(await ffmpeg()), signal: stopped });
  const { rate, form, isLive, crf, quality } = media;
  const input = await openInput(path, {
    ffmpeg: reader,
    rate,
    form,
    isLive,
    scratch: scratch.folder,
    signal,
  });
  const overwrite = options.overwrite ?? false;
  await using output = await openOutput(options.output, {
    input,
    ffmpeg,
    overwrite,
    crf,
    quality,
    format: options.outputFormat,
  });

  await painter.start();
  const figures = new Figures();
  if (input.isLive) progress.say(hide(`waiting for ${input.path}`));
  const source = input.frames((words) => figures.damaged(hide(words)));
  const { first, all } = await peek(input.isLive ? newestOf(source, figures.drop) : source);
  if (first === null) throw new RunError(`${path} has no frame that can be decoded`);
  interrupts.stopFirst(() => progress.note('finishing with the frames so far; Ctrl-C again discards them'));
  const isSized = chosen.width !== undefined || chosen.height !== undefined;
  const size = isSized ? {} : shapeOf(first.image, painter.width, painter.height);
  const prompts: UnderstoodPrompt[] = [];
  const look = {
    parameters: { ...parameters, ...size },
    controls: painter.controls,
    timeline: later.length > 0 ? new Timeline(later, input) : undefined,
    onUnderstood(understood: readonly UnderstoodPrompt[]): void {
      prompts.push(...understood);
      for (const prompt of understood) progress.note(`"${prompt.text}": ${understoodInWords(prompt)}`);
    },
  };
  for await (const frame of generate(painter, look, all, { signal, stop: interrupts.stop })) {
    const startedAt = performance.now();
    await output.write(frame.image, frame);
    figures.add(frame, performance.now() - startedAt);
    progress.update(figures.frames, input.total, figures.elapsed);
  }
  if (figures.frames === 0) throw new RunError('interrupted before the first frame was done');
  const interrupted = interrupts.stop.aborted && figures.frames !== input.total;
  const remarks = remarksOf(input, output);
  const checked = flagged > 0 ? [`frames that the safety checker flagged, and are blurred: ${flagged}`] : [];
  const notes = [...remarks.notes, ...checked];
  const report = figures.report({ ...remarks, notes, interrupted, live: input.isLive, prompts });
  await output.finish(interrupted);
  return report;
}

function openPainter(options: RunOptions, signal: AbortSignal, observer: PainterObserver): Promise<Painter> {
  const { server: url, token } = options;
  if (url !== undefined) return openRemotePainter({ url, token }, observer, signal);
  return openLocalPainter(readEngineSettings(options), observer, signal);
}

/** Returns the parameters that were chosen for the first frame. @throws {ParameterError | RunError} */
async function startParameters(
  options: RunOptions,
  { changes, size }: { readonly changes: readonly Change[]; readonly size: Size | null },
  painter: Painter,
): Promise<ParameterUpdate> {
  const { prompt, styleImage } = options;
  const given = {
    ...(options.look !== undefined && (await readLook(options.look))),
    ...parametersFrom(options),
    ...size,
    ...(prompt !== undefined && { prompt }),
    ...(styleImage !== undefined && { style_image: await painter.readStyleImage(styleImage) }),
  };
  const atStart = changes.filter(({ at }) => at === 0).map((change) => change.parameters);
  const all = Object.fromEntries([given, ...atStart].flatMap((part) => Object.entries(part)));
  if (!('prompt' in all)) {
    throw new RunError('--prompt is missing: add it, a --look with one, or a --timeline that begins at 0:00');
  }
  return painter.check(all);
}

/** The time for which the input is read. */
class Reading implements Disposable {
  readonly #end = new AbortController();
  readonly signal = this.#end.signal;

  [Symbol.dispose](): void {
    this.#end.abort();
  }
}

/** Reads the first item, which `all` yields again. */
async function peek(
  frames: AsyncIterable<InputFrame>,
): Promise<{ readonly first: InputFrame | null; readonly all: AsyncIterable<InputFrame> }> {
  const iterator = frames[Symbol.asyncIterator]();
  const first = await iterator.next();
  return {
    first: first.done ? null : first.value,
    all: {
      async *[Symbol.asyncIterator]() {
        try {
          for (let next = first; !next.done; next = await iterator.next()) yield next.value;
        } finally {
          await iterator.return?.();
        }
      },
    },
  };
}

/** @throws {RunError} if a control that is on needs pictures of its own: there are none here. */
function checkPreprocessors(controls: readonly ActiveControl[], offered: readonly ModelControl[]): void {
  const bare = controls.find(({ preprocessor }) => preprocessor === null)?.name;
  if (bare === undefined) return;
  const all = offered.find(({ name }) => name === bare)?.preprocessors ?? [];
  throw new RunError(
    `--control ${bare} needs a preprocessor, as in ${bare}=1,preprocessor=NAME, where NAME is one of ${all.join(', ')}`,
  );
}
