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

/** How frames are generated: the parameters, and the controls of the model. */
interface Look {
  readonly parameters: StreamParameters;
  readonly controls: readonly ModelControl[];
  /** Receives what the model made of the prompts, before the first frame. */
  readonly onUnderstood?: (prompts: readonly UnderstoodPrompt[]) => void;
}

/**
 * Takes frames through the engine: yields one for each input frame, in order.
 * @throws the error of the frames or the engine, or an error if the signal is aborted.
 */
export async function* generate(
  engine: Engine,
  look: Look,
  frames: AsyncIterable<InputFrame>,
  signal: AbortSignal,
): AsyncGenerator<OutputFrame, void, void> {
  const queue = new FrameQueue<PictureSource>();
  const stop = (): void => queue.fail(new Error('interrupted'));
  const stream = await engine.openStream(look.parameters, queue);
  look.onUnderstood?.(stream.understood ?? []);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const feeding = feed({ engine, look, frames, queue, stream });
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
  readonly engine: Engine;
  readonly look: Look;
  readonly frames: AsyncIterable<InputFrame>;
  readonly queue: FrameQueue<PictureSource>;
  readonly stream: EngineStream;
}

/** Reads, fits and pushes until the frames end or the queue fails; never throws: errors go to the queue. */
async function feed({ engine, look, frames, queue, stream }: Feeding): Promise<void> {
  const { parameters } = look;
  const allocate: Allocate = (bytes) => engine.allocate(bytes);
  try {
    let startedAt = performance.now();
    for await (const { image, time, name } of frames) {
      const fitted = await fitImage(image, parameters, parameters.fit, allocate);
      // The engine takes over the memory of pushed images; the reader needs its own again.
      const own = fitted === image ? { ...fitted, data: copy(image.data, allocate) } : fitted;
      const controls = derivePictures(own, look, allocate);
      const read = performance.now() - startedAt;
      await queue.push(stream, { image: own, ...(controls && { controls }) }, { time, name, read });
      startedAt = performance.now();
    }
    queue.end();
  } catch (error) {
    queue.fail(asError(error));
  }
}

/** Makes the pictures of the controls that are on; undefined if there are none. */
function derivePictures(
  image: Image,
  { controls, parameters }: Look,
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
