import type { ModelControl, StreamParameters, UnderstoodPrompt } from '@millrace/protocol';
import { asError } from '../../engine/as-error.js';
import type { Engine, EngineStream } from '../../engine/engine.js';
import type { WorkerTimings } from '../../engine/messages.js';
import { fitImage } from '../../image/fit.js';
import type { Allocate, Image } from '../../image/image.js';
import { derivePicture } from '../../session/frames/control-pictures.js';
import { activeControls } from '../../engine/active-controls.js';
import { FrameQueue } from './frame-queue.js';
import type { InputFrame } from './input.js';
import type { Timeline } from './timeline.js';

export interface OutputFrame {
  /** Valid until the next frame is requested. */
  readonly image: Image;
  readonly time: number;
  readonly name: string | null;
  /** Milliseconds to read and fit the input. */
  readonly read: number;
  /** How long it took to generate; null for a frame that repeats the one before. */
  readonly made: { readonly latency: number; readonly timings: WorkerTimings } | null;
}

interface PictureSource extends Pick<OutputFrame, 'time' | 'name' | 'read'> {}

type FrameEngine = Pick<Engine, 'openStream' | 'allocate'>;

/** How frames are generated: the parameters, and the controls of the model. */
interface Look {
  readonly parameters: StreamParameters;
  readonly controls: readonly ModelControl[];
  /** What changes from frame to frame; absent: nothing. */
  readonly timeline?: Timeline | undefined;
  /** Receives what the model made of the prompts, before the first frame and after each change. */
  readonly onUnderstood?: (prompts: readonly UnderstoodPrompt[]) => void;
}

interface Ends {
  /** Aborts when nothing more is to be generated. */
  readonly signal: AbortSignal;
  /** Aborts when no more frames are to be read; those that were are still generated. */
  readonly stop?: AbortSignal;
}

/**
 * Takes frames through the engine: yields one for each input frame, in order.
 * @throws the error of the frames or the engine, or an error if the signal is aborted.
 */
export async function* generate(
  engine: FrameEngine,
  look: Look,
  frames: AsyncIterable<InputFrame>,
  { signal, stop: enough }: Ends,
): AsyncGenerator<OutputFrame, void, void> {
  const queue = new FrameQueue<PictureSource>();
  const stop = (): void => queue.fail(new Error('interrupted'));
  const stream = await engine.openStream(look.parameters, queue);
  look.onUnderstood?.(stream.understood ?? []);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const feeding = feed({ engine, look, frames, queue, stream, enough });
  let release = (): void => {};
  let image: Image | null = null;
  try {
    for (let next = await queue.shift(); next; next = await queue.shift()) {
      const { source, outcome } = next;
      if (outcome.type === 'image') {
        release();
        ({ image, release } = outcome);
        yield { ...source, image, made: { latency: outcome.latency, timings: outcome.image.timings } };
      } else if (image) {
        yield { ...source, image, made: null };
      } else {
        throw new Error('the engine skipped the first frame');
      }
    }
  } finally {
    release();
    signal.removeEventListener('abort', stop);
    stop();
    stream.close();
    await feeding;
  }
}

interface Feeding {
  readonly engine: FrameEngine;
  readonly look: Look;
  readonly frames: AsyncIterable<InputFrame>;
  readonly queue: FrameQueue<PictureSource>;
  readonly stream: EngineStream;
  readonly enough: AbortSignal | undefined;
}

/** Reads, fits and pushes until the frames end or the queue fails; never throws: errors go to the queue. */
async function feed({ engine, look, frames, queue, stream, enough }: Feeding): Promise<void> {
  const allocate: Allocate = (bytes) => engine.allocate(bytes);
  const { timeline } = look;
  let { parameters } = look;
  try {
    let startedAt = performance.now();
    for await (const { image, time, name } of frames) {
      if (enough?.aborted) break;
      const fitted = await fitImage(image, parameters, parameters.fit, allocate);
      // The engine takes over the memory of pushed images; the reader needs its own again.
      const own = fitted === image ? { ...fitted, data: copy(image.data, allocate) } : fitted;
      const read = performance.now() - startedAt;
      for (const change of timeline?.take(time) ?? []) {
        parameters = Object.assign({}, parameters, change);
        await stream.configure(parameters);
        look.onUnderstood?.(stream.understood ?? []);
      }
      const controls = derivePictures(own, look.controls, parameters, allocate);
      await queue.push(stream, { image: own, ...(controls && { controls }) }, { time, name, read });
      startedAt = performance.now();
    }
    queue.end();
  } catch (error) {
    // A reader that was stopped in the middle of a frame has failed.
    if (enough?.aborted) queue.end();
    else queue.fail(asError(error));
  }
}

/** Makes the pictures of the controls that are on; undefined if there are none. */
function derivePictures(
  image: Image,
  controls: readonly ModelControl[],
  parameters: StreamParameters,
  allocate: Allocate,
): Readonly<Record<string, Image>> | undefined {
  const made = activeControls(controls, parameters).flatMap((control) => {
    const picture = derivePicture(control, image, allocate);
    return picture ? [[control.name, picture] as const] : [];
  });
  return made.length > 0 ? Object.fromEntries(made) : undefined;
}

function copy(data: Uint8Array<ArrayBuffer>, allocate: Allocate): Uint8Array<ArrayBuffer> {
  const own = allocate(data.length);
  own.set(data);
  return own;
}
