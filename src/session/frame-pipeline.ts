import type {
  DropReason,
  ErrorCode,
  FrameMessage,
  ServerMessage,
  StreamParameters,
} from '@millrace/protocol';
import type { EngineStream, GeneratedImage, StreamListener } from '../engine/engine.js';
import { decodeImage } from '../image/decode.js';
import { encodeJpeg } from '../image/encode.js';
import { fitImage } from '../image/fit.js';
import { ImageError } from '../image/image.js';
import type { SessionMeter } from '../metrics/session-meter.js';
import type { ClientClock } from './client-clock.js';
import { FrameClock } from './frame-clock.js';
import { FrameLedger, type Frame } from './frame-ledger.js';
import { Mailbox } from './mailbox.js';
import { ProtocolError, type ErrorDetails } from './protocol-error.js';
import { ResultWindow } from './result-window.js';
import { stageTimes, stageTimings } from './stage-times.js';

export interface FrameLimits {
  /** Frames that a client may have waiting. */
  readonly credits: number;
  readonly unacknowledgedResults: number;
  /** Largest input image in pixels. */
  readonly framePixels: number;
}

export interface FramePipelineOptions {
  readonly limits: FrameLimits;
  readonly meter: SessionMeter;
  readonly clock: ClientClock;
  readonly allocate: (bytes: number) => Uint8Array<ArrayBuffer>;
  readonly send: (message: ServerMessage) => void;
  /** Tells the client of an error; `cause` is for the log. */
  readonly report: (code: ErrorCode, message: string, details: ErrorDetails, cause?: unknown) => void;
}

/** Generated pixels that wait to be encoded and sent. */
interface Result {
  readonly frame: Frame;
  readonly image: GeneratedImage;
  /** Gives the pixels back to the engine. */
  readonly release: () => void;
}

/**
 * The way of one connection's frames: arrival, decoding, fitting, engine, pacing, encoding, sending.
 * At each place where a frame can wait, the newest wins. Every frame is answered exactly once, by a result or
 * by `dropped`. While the client has not acknowledged what it got, nothing further goes into the engine.
 */
export class FramePipeline implements StreamListener {
  readonly #options: FramePipelineOptions;
  readonly #ledger: FrameLedger;
  readonly #window: ResultWindow;
  readonly #input: Mailbox<{ readonly frame: Frame; readonly data: Uint8Array }>;
  readonly #output: Mailbox<Result>;
  readonly #clock: FrameClock;
  /** Frames on their way from the mailbox to the first row of the engine. */
  readonly #entering = new Set<Frame>();
  #onAllEntered: (() => void) | null = null;
  #active: { readonly stream: EngineStream; parameters: StreamParameters } | null = null;
  #reshaping = false;
  #scratch = new Uint8Array(0);
  #closed = false;

  constructor(options: FramePipelineOptions) {
    this.#options = options;
    this.#ledger = new FrameLedger(options.limits.credits);
    this.#window = new ResultWindow(options.limits.unacknowledgedResults);
    this.#input = new Mailbox({
      open: () => this.#mayEnter && this.#active?.parameters.mode === 'img2img',
      work: ({ frame, data }) => this.#enter(frame, data),
      dropped: ({ frame }) => this.#drop(frame, 'superseded'),
    });
    this.#output = new Mailbox({
      open: () => this.#window.open,
      work: (result) => this.#deliver(result),
      dropped: ({ frame, release }) => {
        release();
        this.#drop(frame, 'stale');
      },
    });
    this.#clock = new FrameClock({ open: () => this.#mayEnter, tick: () => this.#create() });
  }

  /** Frames can flow from now on. */
  attach(stream: EngineStream, parameters: StreamParameters): void {
    this.#active = { stream, parameters };
    this.#apply(parameters);
  }

  /** @throws {ProtocolError} if ids do not rise, or the client had no credit left. */
  receive({ id, captured, data }: FrameMessage): void {
    const frame = this.#ledger.receive(id, captured, performance.now());
    if (!frame) throw new ProtocolError('invalid_message', 'frame ids must rise', { field: 'id', id });
    this.#options.meter.frameReceived();
    if (this.#ledger.overdrawn) {
      this.#options.report('credit_exceeded', 'more frames than credits', { id });
      this.#drop(frame, 'overload');
    } else if (this.#active?.parameters.mode === 'txt2img') {
      this.#drop(frame, 'superseded');
    } else {
      this.#input.put({ frame, data });
    }
  }

  /** @throws {ProtocolError} if no such result has been sent. */
  acknowledge(sequence: number): void {
    if (!this.#window.acknowledge(sequence)) {
      throw new ProtocolError('invalid_message', 'this sequence has not been sent', { field: 'sequence' });
    }
    this.#options.meter.acknowledged(sequence);
    this.#output.poke();
    this.#input.poke();
    this.#clock.poke();
  }

  /**
   * Changes all parameters at a frame boundary. Where the shape of the input changes, that boundary is behind
   * every frame that has the old shape.
   * @returns the first frame that they affect.
   * @throws {ParameterError} if they cannot be.
   */
  async configure(parameters: StreamParameters): Promise<number> {
    const active = this.#active;
    if (!active) throw new Error('configured before it was attached');
    const { width, height, fit } = active.parameters;
    this.#reshaping = parameters.width !== width || parameters.height !== height || parameters.fit !== fit;
    try {
      if (this.#reshaping) await this.#allEntered();
      const { from } = await active.stream.configure(parameters);
      active.parameters = parameters;
      const first = parameters.mode === 'txt2img' ? this.#ledger.nextOwnId : from;
      this.#apply(parameters);
      return publicId(first);
    } finally {
      this.#reshaping = false;
      this.#input.poke();
    }
  }

  /** Gives up all frames. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#active?.stream.close();
    this.#active = null;
    this.#clock.stop();
    this.#input.clear();
    this.#output.clear();
    this.#entering.clear();
    this.#onAllEntered?.();
  }

  onAdmitted(id: number): void {
    const frame = this.#ledger.find(id);
    if (!frame || !this.#active) return;
    frame.quality = this.#active.parameters.quality;
    frame.queued = performance.now() - frame.arrived - frame.decoded;
    this.#leave(frame);
    if (id < 0) this.#clock.entered();
  }

  onDropped(id: number, reason: DropReason): void {
    const frame = this.#ledger.find(id);
    if (frame) this.#drop(frame, reason);
  }

  async onResult(id: number, image: GeneratedImage): Promise<void> {
    const frame = this.#ledger.find(id);
    if (!frame || this.#closed) return;
    this.#options.meter.frameGenerated();
    frame.place = 'output';
    await new Promise<void>((release) => this.#output.put({ frame, image, release }));
  }

  onRestart(): void {
    this.#options.report('engine_restarting', 'the inference engine failed and was restarted', {});
    for (const frame of this.#ledger.open()) if (frame.place === 'engine') this.#drop(frame, 'failed');
  }

  onClosed(reason: Error): void {
    this.#options.report('engine_failed', 'the inference engine failed', {}, reason);
  }

  /** Whether a frame may set out for the engine. */
  get #mayEnter(): boolean {
    return this.#active?.parameters.paused === false && !this.#reshaping && this.#window.open;
  }

  /** Takes the frames from where the parameters say: the client, or with txt2img the clock. */
  #apply({ mode, fps }: StreamParameters): void {
    if (mode === 'img2img') return this.#clock.stop();
    this.#input.clear();
    this.#clock.start(fps);
  }

  /** Sends a frame of the server's own on its way, which starts from noise. */
  #create(): void {
    const frame = this.#ledger.create(performance.now());
    frame.place = 'engine';
    this.#active?.stream.push(frame.id, null, { replace: true });
  }

  async #enter(frame: Frame, data: Uint8Array): Promise<void> {
    if (!this.#active) return;
    const { stream, parameters } = this.#active;
    const { allocate, limits, report } = this.#options;
    const bytes = parameters.width * parameters.height * 3;
    this.#entering.add(frame);
    try {
      const decoded = await decodeImage(data, {
        maxPixels: limits.framePixels,
        // What has to be fitted first does not go to the engine, and one such picture is decoded at a time.
        allocate: (needed) => (needed === bytes ? allocate(needed) : this.#scratchOf(needed)),
      });
      const image = await fitImage(decoded, parameters, parameters.fit, allocate);
      if (this.#closed) return;
      frame.decoded = performance.now() - frame.arrived;
      frame.place = 'engine';
      stream.push(frame.id, image, { replace: true });
    } catch (error) {
      if (error instanceof ImageError) {
        report('invalid_frame', error.message, { id: frame.id });
        this.#drop(frame, 'invalid');
      } else {
        report('internal', 'the frame could not be taken in', { id: frame.id }, error);
      }
    }
  }

  #scratchOf(bytes: number): Uint8Array<ArrayBuffer> {
    if (this.#scratch.length < bytes) this.#scratch = new Uint8Array(bytes);
    return this.#scratch.subarray(0, bytes);
  }

  async #deliver({ frame, image, release }: Result): Promise<void> {
    this.#window.reserve();
    const encoding = performance.now();
    try {
      const data = await encodeJpeg(image, frame.quality);
      if (this.#closed || !this.#ledger.answer(frame)) return this.#window.cancel();
      const sent = performance.now();
      const timings = stageTimings(frame, image.timings, { encoding, sent });
      const times = stageTimes(frame, timings, sent, this.#options.clock);
      const { captured } = frame;
      const { width, height } = image;
      const id = publicId(frame.id);
      const sequence = this.#window.send();
      this.#options.meter.frameSent(sequence, timings);
      this.#options.send({ type: 'result', id, sequence, captured, width, height, timings, times, data });
    } catch (error) {
      this.#window.cancel();
      this.#options.report('internal', 'the result could not be encoded', { id: frame.id }, error);
    } finally {
      release();
    }
  }

  #drop(frame: Frame, reason: DropReason): void {
    if (this.#closed || !this.#ledger.answer(frame)) return;
    this.#options.meter.frameDropped(reason);
    // The client knows nothing of the server's own frames until it has a result of them.
    if (frame.id < 0) {
      if (frame.place === 'engine') this.#clock.lost();
      return;
    }
    this.#options.send({ type: 'dropped', id: frame.id, reason });
    this.#leave(frame);
  }

  /** The frame is no longer on its way in: the client gets its credit back. */
  #leave(frame: Frame): void {
    this.#entering.delete(frame);
    if (this.#entering.size === 0) this.#onAllEntered?.();
    if (this.#ledger.release(frame)) this.#options.send({ type: 'credit', total: this.#ledger.total });
  }

  async #allEntered(): Promise<void> {
    if (this.#entering.size === 0) return;
    await new Promise<void>((resolve) => (this.#onAllEntered = resolve));
    this.#onAllEntered = null;
  }
}

/** The server's own frames count down from -1 here, to be apart from the client's, and up from 0 for the client. */
function publicId(id: number): number {
  return id < 0 ? -1 - id : id;
}
