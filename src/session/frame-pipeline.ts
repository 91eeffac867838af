import type { DropReason, FrameMessage, StreamParameters } from '@millrace/protocol';
import type { EngineStream, GeneratedImage, StreamListener, StreamState } from '../engine/engine.js';
import { ImageError, type Image } from '../image/image.js';
import { FrameClock } from './frame-clock.js';
import { FrameIntake } from './frame-intake.js';
import { FrameLedger, publicId, type CarriedFrame, type Frame } from './frame-ledger.js';
import type { FrameLimits } from './frame-limits.js';
import { Hold } from './hold.js';
import { Lateness } from './lateness.js';
import type { Outlet } from './outlet.js';
import { Pace } from './pace.js';
import { ProtocolError } from './protocol-error.js';
import { ResultSender } from './result-sender.js';

export interface FramePipelineOptions {
  readonly limits: FrameLimits;
  readonly allocate: (bytes: number) => Uint8Array<ArrayBuffer>;
}

/** A window that was shut for more frame intervals than these had a stall before it. */
const stallIntervals = 3;

/**
 * The way of one stream's frames: arrival, decoding, fitting, engine, pacing, encoding, sending.
 * At each place where a frame can wait, the newest wins. Every frame is answered exactly once, by a result or
 * by `dropped`. While the client has not acknowledged what it got, nothing further goes into the engine.
 * The stream outlives the connection that it has: with none, what comes out waits for the next.
 */
export class FramePipeline implements StreamListener {
  readonly #options: FramePipelineOptions;
  readonly #ledger: FrameLedger;
  readonly #intake: FrameIntake;
  readonly #results: ResultSender;
  readonly #clock: FrameClock;
  readonly #pace = new Pace(() => this.#poke());
  #outlet: Outlet | null = null;
  #active: { readonly stream: EngineStream; parameters: StreamParameters } | null = null;
  #reshaping = false;
  #closed = false;
  /** After a stall: until something newer than what waited is there, or this time has passed. */
  readonly #hold = new Hold(() => this.#poke());
  readonly #lateness = new Lateness();
  #lastActivity = performance.now();
  readonly #counts = { offered: 0, taken: 0 };

  constructor(options: FramePipelineOptions) {
    const { limits, allocate } = options;
    this.#options = options;
    this.#ledger = new FrameLedger(limits.credits);
    this.#intake = new FrameIntake({
      framePixels: limits.framePixels,
      allocate,
      open: () => this.#mayEnter && this.#active?.parameters.mode === 'img2img',
      parameters: () => this.#active?.parameters ?? null,
      enter: (frame, image) => this.#enter(frame, image),
      superseded: (frame) => this.#drop(frame, 'superseded'),
      failed: (frame, error) => this.#fail(frame, error),
    });
    this.#results = new ResultSender({
      unacknowledged: limits.unacknowledgedResults,
      answer: (frame) => !this.#closed && this.#ledger.answer(frame),
      stale: (frame) => this.#drop(frame, 'stale'),
    });
    this.#clock = new FrameClock({ open: () => this.#mayEnter, tick: () => this.#create() });
  }

  /** When a frame last came or went, by `performance.now()`. */
  get lastActivity(): number {
    return this.#lastActivity;
  }

  /** Frames that the engine was offered, and that it did not leave for newer ones. */
  get counts(): { readonly offered: number; readonly taken: number } {
    return { ...this.#counts };
  }

  /** Frames can flow from now on. @param carried frames that are under way in a stream that was restored. */
  attach(stream: EngineStream, parameters: StreamParameters, carried: readonly CarriedFrame[] = []): void {
    for (const { id, captured } of carried) {
      const frame = this.#ledger.adopt(id, captured, performance.now());
      frame.quality = parameters.quality;
    }
    this.#active = { stream, parameters };
    this.#apply(parameters);
  }

  /** A connection begins: answers go there, and credits are counted anew. */
  connect(outlet: Outlet): void {
    this.disconnect();
    this.#outlet = outlet;
    this.#ledger.renew(this.#options.limits.credits);
    this.#results.connect(outlet);
    this.#poke();
  }

  /** The connection is gone: what was under way waits for the next. */
  disconnect(): void {
    this.#outlet = null;
    this.#results.disconnect();
    this.#intake.clear();
    this.#hold.end();
  }

  /** @param fps frames a second that are worked on at most; null for as many as come. */
  limit(fps: number | null): void {
    this.#pace.limit(fps);
  }

  /** @throws {ProtocolError} if ids do not rise, or the client had no credit left. */
  receive({ id, captured, data }: FrameMessage): void {
    const now = performance.now();
    const frame = this.#ledger.receive(id, captured, now);
    if (!frame) throw new ProtocolError('invalid_message', 'frame ids must rise', { field: 'id', id });
    this.#lastActivity = now;
    this.#outlet?.meter.frameReceived();
    if (this.#ledger.overdrawn) {
      this.#outlet?.report('credit_exceeded', 'more frames than credits', { id });
      this.#drop(frame, 'overload');
    } else if (this.#active?.parameters.mode === 'txt2img') {
      this.#drop(frame, 'superseded');
    } else {
      const { interval } = this.#results;
      const lag = this.#outlet?.clock.since(captured, now) ?? null;
      if (lag !== null && this.#lateness.isLate(lag, interval)) {
        this.#hold.begin(2 * interval);
      } else {
        if (this.#hold.active) this.#results.clear();
        this.#hold.end();
      }
      this.#intake.put(frame, data);
    }
  }

  /** @throws {ProtocolError} if no such result has been sent. */
  acknowledge(sequence: number): void {
    const shut = this.#results.acknowledge(sequence);
    if (shut === null) {
      throw new ProtocolError('invalid_message', 'this sequence has not been sent', { field: 'sequence' });
    }
    this.#outlet?.meter.acknowledged(sequence);
    const { interval } = this.#results;
    if (shut > stallIntervals * interval && this.#active?.parameters.mode === 'img2img') {
      this.#recover(interval);
    }
    this.#poke();
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
      if (this.#reshaping) await this.#intake.empty();
      const { from } = await active.stream.configure(parameters);
      active.parameters = parameters;
      const first = parameters.mode === 'txt2img' ? this.#ledger.nextOwnId : from;
      this.#apply(parameters);
      return publicId(first);
    } finally {
      this.#reshaping = false;
      this.#intake.poke();
    }
  }

  /** What another server needs to go on. @throws {Error} if there is no stream, or the engine fails. */
  async snapshot(): Promise<{ readonly state: StreamState; readonly carried: readonly CarriedFrame[] }> {
    if (!this.#active) throw new Error('there is no stream');
    const state = await this.#active.stream.snapshot();
    const carried = state.frames.map(({ frame: id }) => ({
      id,
      captured: this.#ledger.find(id)?.captured ?? 0,
    }));
    return { state, carried };
  }

  /** Gives up all frames. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#active?.stream.close();
    this.#active = null;
    this.#clock.stop();
    this.#pace.stop();
    this.disconnect();
    this.#results.clear();
    this.#intake.close();
  }

  onAdmitted(id: number): void {
    const frame = this.#ledger.find(id);
    if (!frame || !this.#active) return;
    frame.quality = this.#active.parameters.quality;
    frame.queued = performance.now() - frame.arrived - frame.decoded;
    this.#counts.taken += 1;
    this.#leave(frame);
    if (id < 0) this.#clock.entered();
  }

  onDropped(id: number, reason: DropReason): void {
    const frame = this.#ledger.find(id);
    if (reason === 'similar') this.#counts.taken += 1;
    if (frame) this.#drop(frame, reason);
  }

  async onResult(id: number, image: GeneratedImage): Promise<void> {
    const frame = this.#ledger.find(id);
    if (!frame || this.#closed) return;
    this.#lastActivity = performance.now();
    this.#outlet?.meter.frameGenerated();
    frame.place = 'output';
    await this.#results.put(frame, image);
  }

  onRestart(): void {
    this.#outlet?.report('engine_restarting', 'the inference engine failed and was restarted', {});
    for (const frame of this.#ledger.open()) if (frame.place === 'engine') this.#drop(frame, 'failed');
  }

  onClosed(reason: Error): void {
    this.#outlet?.report('engine_failed', 'the inference engine failed', {}, reason);
  }

  /** Whether a frame may set out for the engine. */
  get #mayEnter(): boolean {
    const running = this.#active?.parameters.paused === false && !this.#reshaping && !this.#hold.active;
    return running && this.#results.open && this.#pace.open;
  }

  #poke(): void {
    if (!this.#hold.active) this.#results.poke();
    this.#intake.poke();
    this.#clock.poke();
  }

  /** What waited while the client was held up gives way to newer frames, if there are any soon. */
  #recover(interval: number): void {
    const since = this.#intake.waitingSince;
    if (since !== null && since > performance.now() - interval) return this.#results.clear();
    this.#hold.begin(interval);
  }

  /** Takes the frames from where the parameters say: the client, or with txt2img the clock. */
  #apply({ mode, fps }: StreamParameters): void {
    if (mode === 'img2img') return this.#clock.stop();
    this.#intake.clear();
    this.#clock.start(fps);
  }

  /** Sends a frame of the server's own on its way, which starts from noise. */
  #create(): void {
    this.#pace.take();
    this.#counts.offered += 1;
    const frame = this.#ledger.create(performance.now());
    frame.place = 'engine';
    this.#active?.stream.push(frame.id, null, { replace: true });
  }

  #enter(frame: Frame, image: Image): void {
    if (this.#closed) return;
    this.#pace.take();
    this.#counts.offered += 1;
    frame.decoded = performance.now() - frame.arrived;
    frame.place = 'engine';
    this.#active?.stream.push(frame.id, image, { replace: true });
  }

  #fail(frame: Frame, error: unknown): void {
    const invalid = error instanceof ImageError;
    const { id } = frame;
    if (invalid) this.#outlet?.report('invalid_frame', error.message, { id });
    else this.#outlet?.report('internal', 'the frame could not be taken in', { id }, error);
    this.#drop(frame, invalid ? 'invalid' : 'failed');
  }

  #drop(frame: Frame, reason: DropReason): void {
    if (this.#closed || !this.#ledger.answer(frame)) return;
    this.#outlet?.meter.frameDropped(reason);
    // The client knows nothing of the server's own frames until it has a result of them.
    if (frame.id < 0) {
      if (frame.place === 'engine') this.#clock.lost();
      return;
    }
    this.#outlet?.send({ type: 'dropped', id: frame.id, reason });
    this.#leave(frame);
  }

  /** The frame is no longer on its way in: the client gets its credit back. */
  #leave(frame: Frame): void {
    this.#intake.left(frame);
    if (this.#ledger.release(frame)) this.#outlet?.send({ type: 'credit', total: this.#ledger.total });
  }
}
