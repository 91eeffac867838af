import type { StreamParameters } from '@millrace/protocol';
import type {
  Engine,
  EngineState,
  EngineStream,
  FrameInput,
  OpenOptions,
  StreamListener,
} from '../../src/engine/engine.js';
import type { StreamState } from '../../src/diffusion/stream.js';
import type { Image } from '../../src/image/image.js';

const ready: EngineState = {
  name: 'ready',
  device: 'cpu',
  calibration: { at: new Date(0), isKept: false },
  costs: [],
  rowBudget: 1,
  pictureMs: 1,
};

/** An engine that the test controls: nothing moves in it until the test says so. */
export class ManualEngine implements Engine {
  state: EngineState = ready;
  readonly streams: ManualStream[] = [];
  /** Account of each stream; null for one of its own. */
  readonly accounts: (string | null)[] = [];
  /** Error of the next `openStream`, `configure` or `snapshot`. */
  refusal: Error | null = null;

  async start(): Promise<void> {}

  async openStream(
    parameters: StreamParameters,
    listener: StreamListener,
    { state = { ordinal: 0, frames: [] }, account }: OpenOptions = {},
  ): Promise<EngineStream> {
    this.accounts.push(account ?? null);
    await Promise.resolve();
    this.throwRefusal();
    const stream = new ManualStream(this, parameters, listener, state);
    this.streams.push(stream);
    return stream;
  }

  throwRefusal(): void {
    const { refusal } = this;
    this.refusal = null;
    if (refusal) throw refusal;
  }

  allocate(bytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

interface ManualFrame {
  readonly frame: number;
  readonly image: Image;
  readonly controls: FrameInput['controls'];
}

export class ManualStream implements EngineStream {
  readonly #engine: ManualEngine;
  readonly listener: StreamListener;
  parameters: StreamParameters;
  waiting: ManualFrame | null = null;
  /** Frames in progress, oldest first. */
  readonly working: ManualFrame[] = [];
  /** Ids of all frames that were pushed. */
  readonly pushed: number[] = [];
  /** Results whose pixels were not returned yet. */
  lent = 0;
  closed = false;
  /** The state that it was opened with, which `snapshot` returns. */
  state: StreamState;

  constructor(
    engine: ManualEngine,
    parameters: StreamParameters,
    listener: StreamListener,
    state: StreamState,
  ) {
    this.#engine = engine;
    this.state = state;
    this.parameters = parameters;
    this.listener = listener;
  }

  push(frame: number, input: FrameInput): void {
    const { width, height } = this.parameters;
    // A frame from noise comes out grey.
    const image = input.image ?? { width, height, data: new Uint8Array(width * height * 3).fill(128) };
    const replaced = this.waiting;
    this.waiting = { frame, image, controls: input.controls };
    this.pushed.push(frame);
    if (replaced) this.listener.onDropped(replaced.frame, 'superseded');
  }

  async configure(parameters: StreamParameters): Promise<{ readonly from: number }> {
    await Promise.resolve();
    this.#engine.throwRefusal();
    this.parameters = parameters;
    return { from: (this.pushed.at(-1) ?? -1) + 1 };
  }

  async snapshot(): Promise<StreamState> {
    await Promise.resolve();
    this.#engine.throwRefusal();
    return this.state;
  }

  close(): void {
    this.closed = true;
  }

  /** Begins work on the waiting frame. */
  admit(): void {
    if (!this.waiting) return;
    this.working.push(this.waiting);
    const { frame } = this.waiting;
    this.waiting = null;
    this.listener.onAdmitted(frame);
  }

  /** Skips the waiting frame, as the similarity filter does. */
  skip(): void {
    if (!this.waiting) return;
    const { frame } = this.waiting;
    this.waiting = null;
    this.listener.onDropped(frame, 'similar');
  }

  /** Drops the oldest frame in progress, as when a network computes NaN. */
  fail(): void {
    const failed = this.working.shift();
    if (failed) this.listener.onDropped(failed.frame, 'failed');
  }

  /** Returns the oldest frame in progress unchanged, as a result. */
  finish(): void {
    const done = this.working.shift();
    if (!done) return;
    const timings = { queueMs: 1, vaeEncodeMs: 2, denoiseMs: 3, vaeDecodeMs: 4 };
    this.lent += 1;
    void this.listener.onResult(done.frame, { ...done.image, timings }).then(() => (this.lent -= 1));
  }

  restart(): void {
    this.waiting = null;
    this.working.length = 0;
    this.listener.onRestart();
  }
}
