import { deferred } from '../../engine/deferred.js';
import type { EngineStream, FrameInput, GeneratedImage, StreamListener } from '../../engine/engine.js';
import type { EngineDropReason } from '../../engine/messages.js';

/** A frame on its way through the engine. `Source` is its owner's data. */
interface Entry<Source> {
  readonly frame: number;
  readonly source: Source;
  readonly pushedAt: number;
  outcome: Outcome | null;
}

/** `similar`: too similar to the frame before, whose picture is used again. */
export type Outcome =
  | {
      readonly type: 'image';
      readonly image: GeneratedImage;
      /** Milliseconds from the push to the result. */
      readonly latency: number;
      /** Returns the image's memory to the engine. */
      readonly release: () => void;
    }
  | { readonly type: 'similar' };

/** Frames in the engine at the same time: more than any stream batch has stages, and few enough for the memory. */
const maxFrames = 32;

/** Takes each frame of a file through a stream of the engine and returns all of them in order. */
export class FrameQueue<Source> implements StreamListener {
  readonly #entries: Entry<Source>[] = [];
  #next = 0;
  /** The frame that the engine has not admitted yet. */
  #waiting: number | null = null;
  #ended = false;
  #error: Error | null = null;
  #change = deferred<void>();

  /** Pushes a frame to the engine once there is room for it. */
  async push(stream: EngineStream, input: FrameInput, source: Source): Promise<void> {
    await this.#until(() => this.#waiting === null && this.#entries.length < maxFrames);
    const frame = this.#next++;
    this.#waiting = frame;
    this.#entries.push({ frame, source, pushedAt: performance.now(), outcome: null });
    stream.push(frame, input, { replace: false });
  }

  /** Ends the input: no more frames are pushed. */
  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** Stops the queue: all waiting calls reject with the first error. */
  fail(error: Error): void {
    this.#error ??= error;
    for (const { outcome } of this.#entries) if (outcome?.type === 'image') outcome.release();
    this.#notify();
  }

  /** Waits for the next frame in order; null after the last. */
  async shift(): Promise<{ readonly source: Source; readonly outcome: Outcome } | null> {
    await this.#until(() => this.#entries[0]?.outcome != null || (this.#ended && this.#entries.length === 0));
    const entry = this.#entries.shift();
    this.#notify();
    return entry?.outcome ? { source: entry.source, outcome: entry.outcome } : null;
  }

  onAdmitted(frame: number): void {
    if (this.#waiting === frame) this.#waiting = null;
    this.#notify();
  }

  onDropped(frame: number, reason: EngineDropReason): void {
    if (reason === 'failed') {
      return this.fail(
        new Error(`the model computed NaN or infinite values for frame ${frame + 1}; export it in float32`),
      );
    }
    if (reason !== 'similar') return this.fail(new Error(`the engine lost frame ${frame + 1} (${reason})`));
    this.#settle(frame, () => ({ type: 'similar' }));
    this.onAdmitted(frame);
  }

  onResult(frame: number, image: GeneratedImage): Promise<void> {
    const released = deferred<void>();
    this.#settle(frame, ({ pushedAt }) => ({
      type: 'image',
      image,
      latency: performance.now() - pushedAt,
      release: () => released.resolve(),
    }));
    if (this.#error) released.resolve();
    return released.promise;
  }

  onRestart(): void {
    this.fail(new Error('the inference engine failed and had to be restarted; frames were lost'));
  }

  onClosed(reason: Error): void {
    this.fail(reason);
  }

  #settle(frame: number, outcome: (entry: Entry<Source>) => Outcome): void {
    const entry = this.#entries.find((candidate) => candidate.frame === frame);
    if (!entry) return this.fail(new Error(`the engine returned frame ${frame + 1} twice`));
    entry.outcome = outcome(entry);
    this.#notify();
  }

  #notify(): void {
    const change = this.#change;
    this.#change = deferred<void>();
    change.resolve();
  }

  async #until(condition: () => boolean): Promise<void> {
    for (;;) {
      if (this.#error) throw this.#error;
      if (condition()) return;
      await this.#change.promise;
    }
  }
}
