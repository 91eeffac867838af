import { errors, type DropReason, type FrameMessage, type StreamParameters } from '@millrace/protocol';
import type { EngineStream, GeneratedImage, StreamListener, StreamState } from '../../engine/engine.js';
import type { PictureCodec } from '../../image/codec.js';
import type { Image } from '../../image/image.js';
import { EngineFeed } from './engine-feed.js';
import { FrameAnswers } from './frame-answers.js';
import { FrameClock } from './frame-clock.js';
import { FrameIntake } from './frame-intake.js';
import { publicId, type CarriedFrame, type Frame } from './frame-ledger.js';
import type { FrameLimits } from './frame-limits.js';
import type { Outlet } from '../wire/outlet.js';
import { Pace } from '../time/pace.js';
import type { Pauses } from '../time/pause-watch.js';
import type { PictureTurns } from './picture-turns.js';
import { ProtocolError } from '../wire/protocol-error.js';
import { ResultSender } from './result-sender.js';
import { StallGuard } from './stall-guard.js';

export interface FramePipelineOptions {
  readonly limits: FrameLimits;
  readonly allocate: (bytes: number) => Uint8Array<ArrayBuffer>;
  readonly pictures: PictureCodec;
  readonly turns: PictureTurns;
  readonly pauses: Pauses;
}

/**
 * Takes the frames of one stream through arrival, decoding, fitting, engine, pacing, encoding and sending. Wherever a
 * frame can wait, the newest wins. Every frame is answered exactly once, by a result or by `dropped`. While the client
 * has not acknowledged what it got, nothing further enters the engine. The stream outlives its connection: without one,
 * results wait for the next.
 */
export class FramePipeline implements StreamListener {
  readonly #answers: FrameAnswers;
  readonly #intake: FrameIntake;
  readonly #results: ResultSender;
  readonly #clock: FrameClock;
  readonly #pace = new Pace(() => this.#poke());
  readonly #stalls: StallGuard;
  readonly #feed = new EngineFeed();
  readonly #turns: PictureTurns;
  #closed = false;
  /** Whether frames have failed since the last result. */
  #failing = false;
  #lastActivity = performance.now();

  constructor({ limits, allocate, pictures, turns, pauses }: FramePipelineOptions) {
    this.#turns = turns;
    this.#answers = new FrameAnswers(limits.credits);
    this.#stalls = new StallGuard(pauses, () => this.#poke());
    this.#intake = new FrameIntake({
      framePixels: limits.framePixels,
      allocate,
      decode: pictures.decode,
      inTurn: (work) => turns.run(this, work),
      begun: () => this.#pace.take(),
      open: () => this.#mayEnter && this.#feed.parameters?.mode === 'img2img',
      parameters: () => this.#feed.parameters,
      enter: (frame, image) => this.#enter(frame, image),
      superseded: (frame) => this.#drop(frame, 'superseded'),
      failed: (frame, error) => this.#drop(frame, this.#answers.explain(frame, error)),
    });
    this.#results = new ResultSender({
      encode: pictures.encode,
      unacknowledged: limits.unacknowledgedResults,
      held: () => this.#stalls.holding,
      holdsBack: (frame, interval) => this.#stalls.holdsBack(frame.arrivedAt, interval),
      answer: (frame) => {
        this.#stalls.resultLeft();
        return this.#answers.answer(frame);
      },
      stale: (frame) => this.#drop(frame, 'stale'),
    });
    this.#clock = new FrameClock({ open: () => this.#mayEnter, tick: () => this.#create() });
  }

  /** When a frame last arrived or was finished, by `performance.now()`. */
  get lastActivity(): number {
    return this.#lastActivity;
  }

  /** Milliseconds that a picture of this stream takes to decode; 0 before the first. */
  get decodeMs(): number {
    return this.#turns.usualMs(this);
  }

  /** Starts the flow of frames. @param carried frames under way in a restored stream. */
  attach(stream: EngineStream, parameters: StreamParameters, carried: readonly CarriedFrame[] = []): void {
    for (const { id, captured } of carried) {
      const frame = this.#answers.ledger.adopt(id, captured, performance.now());
      frame.quality = parameters.quality;
    }
    this.#feed.attach(stream, parameters);
    this.#apply(parameters);
  }

  /** Sends answers over this connection from now on; credits are counted from 0 again. */
  connect(outlet: Outlet): void {
    this.disconnect();
    this.#answers.connect(outlet);
    this.#results.connect(outlet);
    this.#poke();
  }

  /** Keeps results for the next connection from now on; the waiting frame is dropped. */
  disconnect(): void {
    this.#answers.disconnect();
    this.#results.disconnect();
    this.#intake.clear();
    this.#stalls.end();
  }

  /** Limits the rate of frames. @param fps frames per second; null for no limit. */
  limit(fps: number | null): void {
    this.#pace.limit(fps);
  }

  /** @throws {ProtocolError} if the id is not higher than all before. */
  receive({ id, captured, data }: FrameMessage): void {
    const now = performance.now();
    const { ledger, outlet } = this.#answers;
    const frame = ledger.receive(id, captured, now);
    if (!frame) throw new ProtocolError('invalid_message', 'frame ids must rise', { field: 'id', id });
    this.#lastActivity = now;
    outlet?.meter.frameReceived();
    if (ledger.overdrawn) {
      outlet?.report('credit_exceeded', 'more frames than credits', { id });
      this.#drop(frame, 'overload');
    } else if (this.#feed.parameters?.mode === 'txt2img') {
      this.#drop(frame, 'superseded');
    } else {
      const lag = outlet?.clock.since(captured, now) ?? null;
      if (this.#stalls.frameArrived(lag, this.#results.interval)) this.#results.clear();
      this.#intake.put(frame, data);
    }
  }

  /** @throws {ProtocolError} if no such result has been sent. */
  acknowledge(sequence: number): void {
    const shut = this.#results.acknowledge(sequence);
    if (shut === null) {
      throw new ProtocolError('invalid_message', 'this sequence has not been sent', { field: 'sequence' });
    }
    this.#answers.outlet?.meter.acknowledged(sequence);
    if (this.#feed.parameters?.mode === 'img2img') {
      const { interval } = this.#results;
      if (this.#stalls.clientReturned(shut, this.#intake.waitingSince, interval)) this.#results.clear();
    }
    this.#poke();
  }

  /**
   * Changes all parameters at a frame boundary. If the input changes its shape, that boundary is after every frame of
   * the old shape.
   * @returns the first frame with the new parameters.
   * @throws {ParameterError} if the engine refuses them.
   */
  async configure(parameters: StreamParameters): Promise<number> {
    try {
      const { ledger } = this.#answers;
      const before = this.#feed.parameters?.mode;
      const from = await this.#feed.configure(parameters, () => this.#intake.empty());
      const nextOwnId = publicId(ledger.nextOwnId);
      this.#apply(parameters);
      if (parameters.mode === 'txt2img') return nextOwnId;
      // If the server created the frames, the engine knows no id of the client.
      return before === 'txt2img' ? ledger.nextId : from;
    } finally {
      this.#intake.poke();
    }
  }

  /** Returns what another server needs to continue. @throws {Error} if there is no stream, or the engine fails. */
  async snapshot(): Promise<{ readonly state: StreamState; readonly carried: readonly CarriedFrame[] }> {
    const state = await this.#feed.snapshot();
    const carried = state.frames.map(({ frame: id }) => ({
      id,
      captured: this.#answers.ledger.find(id)?.captured ?? 0,
    }));
    return { state, carried };
  }

  /** Drops all frames. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#feed.close();
    this.#clock.stop();
    this.#pace.stop();
    this.disconnect();
    this.#answers.close();
    this.#results.close();
    this.#intake.close();
    this.#turns.remove(this);
  }

  onAdmitted(id: number): void {
    const frame = this.#answers.ledger.find(id);
    const { parameters } = this.#feed;
    if (!frame || !parameters) return;
    frame.quality = parameters.quality;
    frame.queueMs = performance.now() - frame.arrivedAt - frame.decodeMs;
    this.#leave(frame);
    if (id < 0) this.#clock.entered();
  }

  onDropped(id: number, reason: DropReason): void {
    const frame = this.#answers.ledger.find(id);
    if (!frame) return;
    // Consecutive failures are reported once.
    if (reason === 'failed' && !this.#failing) this.#reportFailure(id);
    this.#failing ||= reason === 'failed';
    this.#drop(frame, reason);
  }

  async onResult(id: number, image: GeneratedImage): Promise<void> {
    const frame = this.#answers.ledger.find(id);
    if (!frame || this.#closed) return;
    this.#lastActivity = performance.now();
    this.#answers.outlet?.meter.frameGenerated();
    frame.place = 'output';
    this.#failing = false;
    this.#stalls.resultCame(frame.arrivedAt);
    await this.#results.put(frame, image);
  }

  onRestart(): void {
    const { ledger, outlet } = this.#answers;
    outlet?.report('engine_restarting', 'the inference engine failed and was restarted', {});
    for (const frame of ledger.open()) if (frame.place === 'engine') this.#drop(frame, 'failed');
  }

  onClosed(reason: Error): void {
    this.#answers.outlet?.report('engine_failed', 'the inference engine failed', {}, reason);
  }

  #reportFailure(id: number): void {
    // The client does not know the ids of the server's own frames.
    const details = id < 0 ? {} : { id };
    this.#answers.outlet?.report('generation_failed', errors.generation_failed.meaning, details);
  }

  /** Whether a frame may start on its way to the engine. */
  get #mayEnter(): boolean {
    return this.#feed.running && !this.#stalls.holding && this.#results.open && this.#pace.open;
  }

  #poke(): void {
    this.#results.poke();
    this.#intake.poke();
    this.#clock.poke();
  }

  /** Selects the source of frames: the client, or with txt2img the clock. */
  #apply({ mode, fps }: StreamParameters): void {
    if (mode === 'img2img') return this.#clock.stop();
    this.#intake.clear();
    this.#clock.start(fps);
  }

  /** Creates a frame that starts from noise, and passes it to the engine. */
  #create(): void {
    this.#pace.take();
    this.#feed.push(this.#answers.ledger.create(performance.now()), { image: null });
  }

  #enter(frame: Frame, image: Image): void {
    if (this.#closed) return;
    frame.decodeMs = performance.now() - frame.arrivedAt;
    this.#feed.push(frame, { image, preparedMs: this.decodeMs / this.#turns.atOnce });
  }

  #drop(frame: Frame, reason: DropReason): void {
    if (!this.#answers.drop(frame, reason)) return;
    if (frame.id >= 0) this.#leave(frame);
    else if (frame.place === 'engine') this.#clock.lost();
  }

  /** Notes that a frame is no longer on its way in. */
  #leave(frame: Frame): void {
    this.#intake.left(frame);
    this.#answers.release(frame);
  }
}
