import {
  errors,
  type DropReason,
  type FrameMessage,
  type ModelControl,
  type StreamParameters,
  type UnderstoodPrompt,
} from '@millrace/protocol';
import type { EngineStream, GeneratedImage, StreamListener, StreamState } from '../../engine/engine.js';
import type { PictureCodec } from '../../image/codec.js';
import type { Pauses } from '../time/pause-watch.js';
import type { Outlet } from '../wire/outlet.js';
import { ProtocolError } from '../wire/protocol-error.js';
import { EngineFeed } from './engine-feed.js';
import { FrameGate } from './frame-gate.js';
import { FrameIntake } from './frame-intake.js';
import { FrameLedger, publicId, type CarriedFrame, type Frame } from './frame-ledger.js';
import type { PictureTurns } from './picture-turns.js';
import { ResultSender } from './result-sender.js';

/** The limits on the frames of a session. */
export interface FrameLimits {
  /** Frames that a client may have waiting. */
  readonly credits: number;
  readonly unacknowledgedResults: number;
  /** Pixels that the input images of a frame may have together. */
  readonly framePixels: number;
}

export interface FramePipelineOptions {
  readonly limits: FrameLimits;
  readonly allocate: (bytes: number) => Uint8Array<ArrayBuffer>;
  readonly pictures: PictureCodec;
  /** The controls of the model. */
  readonly controls: readonly ModelControl[];
  readonly turns: PictureTurns;
  readonly pauses: Pauses;
}

/** The frames of a session, as its connection sees them. */
export interface ConnectionFrames {
  /** Sends answers over this connection from now on; credits are counted from 0 again. */
  connect(outlet: Outlet): void;
  /** @throws {ProtocolError} if the id is not higher than all before. */
  receive(message: FrameMessage): void;
  /** @throws {ProtocolError} if no such result has been sent. */
  acknowledge(sequence: number): void;
}

/** The frames of a session, as the session sees them. */
export interface SessionFrames {
  /** When a frame last arrived or was finished, by `performance.now()`. */
  readonly lastActivityAt: number;
  /** Whether all frames are answered. */
  readonly idle: boolean;
  /** Milliseconds that the pictures of a frame of this stream take; 0 before the first. */
  readonly decodeMs: number;
  /** What the model made of the prompts in force; undefined if the engine does not say. */
  readonly understood?: readonly UnderstoodPrompt[] | undefined;
  /** Limits the rate of frames. @param fps frames per second; null for no limit. */
  limit(fps: number | null): void;
  /**
   * Changes all parameters at a frame boundary. If the input changes its shape, that boundary is after every frame of
   * the old shape.
   * @returns the first frame with the new parameters.
   * @throws {ParameterError} if the engine refuses them.
   */
  configure(parameters: StreamParameters): Promise<number>;
  /** Returns what another server needs to continue. @throws {Error} if there is no stream, or the engine fails. */
  snapshot(): Promise<{ readonly state: StreamState; readonly carried: readonly CarriedFrame[] }>;
  /** Keeps results for the next connection from now on; the waiting frame is dropped. */
  disconnect(): void;
  /** Drops all frames. May be called twice. */
  close(): void;
}

/**
 * Takes the frames of one stream along a line: intake (the newest waits, is decoded and fitted), engine, sender (the
 * newest waits, is encoded and sent). The ledger records each frame and answers it exactly once, by a result or by
 * `dropped`; the gate decides when a frame may enter and a result may leave. The stream outlives its connection:
 * without one, results wait for the next.
 */
export class FramePipeline implements ConnectionFrames, SessionFrames, StreamListener {
  readonly #ledger: FrameLedger;
  readonly #feed: EngineFeed;
  readonly #gate: FrameGate;
  readonly #intake: FrameIntake;
  readonly #results: ResultSender;
  /** Whether frames have failed since the last result. */
  #failing = false;

  constructor({ limits, allocate, pictures, controls, turns, pauses }: FramePipelineOptions) {
    const { credits, framePixels, unacknowledgedResults: unacknowledged } = limits;
    const ledger = new FrameLedger(credits);
    const feed = new EngineFeed(ledger);
    const gate = new FrameGate({ feed, pauses, unacknowledged });
    this.#ledger = ledger;
    this.#feed = feed;
    this.#gate = gate;
    this.#intake = new FrameIntake({
      ledger,
      gate,
      feed,
      turns,
      pictures,
      allocate,
      framePixels,
      controls,
    });
    this.#results = new ResultSender({ ledger, gate, pictures });
    gate.connectSides(this.#intake, this.#results);
  }

  get lastActivityAt(): number {
    return this.#ledger.lastActivityAt;
  }

  get idle(): boolean {
    return this.#ledger.open().length === 0;
  }

  get decodeMs(): number {
    return this.#intake.decodeMs;
  }

  get understood(): readonly UnderstoodPrompt[] | undefined {
    return this.#feed.understood;
  }

  /** Starts the flow of frames. @param carried frames under way in a restored stream. */
  attach(stream: EngineStream, parameters: StreamParameters, carried: readonly CarriedFrame[] = []): void {
    for (const frame of carried) this.#ledger.adopt(frame, parameters.quality, performance.now());
    this.#feed.attach(stream, parameters);
    this.#intake.select(parameters);
  }

  connect(outlet: Outlet): void {
    this.disconnect();
    this.#ledger.connect(outlet);
    this.#gate.connect();
  }

  disconnect(): void {
    this.#ledger.disconnect();
    this.#gate.disconnect();
    this.#intake.clear();
  }

  limit(fps: number | null): void {
    this.#gate.limit(fps);
  }

  receive(message: FrameMessage): void {
    this.#intake.receive(message);
  }

  acknowledge(sequence: number): void {
    if (!this.#gate.acknowledge(sequence)) {
      throw new ProtocolError('invalid_message', 'this sequence has not been sent', { field: 'sequence' });
    }
    this.#ledger.outlet?.meter.acknowledged(sequence);
  }

  async configure(parameters: StreamParameters): Promise<number> {
    try {
      const before = this.#feed.parameters?.mode;
      const from = await this.#feed.configure(parameters);
      const nextOwnId = publicId(this.#ledger.nextOwnId);
      this.#intake.select(parameters);
      if (parameters.mode === 'txt2img') return nextOwnId;
      // If the server created the frames, the engine knows no id of the client.
      return before === 'txt2img' ? this.#ledger.nextId : from;
    } finally {
      this.#gate.poke();
    }
  }

  async snapshot(): Promise<{ readonly state: StreamState; readonly carried: readonly CarriedFrame[] }> {
    const state = await this.#feed.snapshot();
    const carried = state.frames.map(({ frame: id }) => ({
      id,
      captured: this.#ledger.find(id)?.captured ?? 0,
    }));
    return { state, carried };
  }

  close(): void {
    this.#feed.close();
    this.#ledger.close();
    this.#gate.close();
    this.#intake.close();
    this.#results.clear();
  }

  onAdmitted(id: number): void {
    const frame = this.#ledger.find(id);
    if (frame) this.#intake.admitted(frame);
  }

  onDropped(id: number, reason: DropReason): void {
    const frame = this.#ledger.find(id);
    if (!frame) return;
    // Consecutive failures are reported once.
    if (reason === 'failed' && !this.#failing) this.#reportFailure(id);
    this.#failing ||= reason === 'failed';
    this.#drop(frame, reason);
  }

  onResult(id: number, image: GeneratedImage): Promise<void> {
    const frame = this.#ledger.find(id);
    if (!frame) return Promise.resolve();
    this.#failing = false;
    this.#ledger.finish(frame, performance.now());
    return this.#results.put(frame, image);
  }

  onRestart(): void {
    const { outlet } = this.#ledger;
    outlet?.report('engine_restarting', 'the inference engine failed and was restarted', {});
    for (const frame of this.#ledger.open()) if (frame.place === 'engine') this.#drop(frame, 'failed');
  }

  onClosed(reason: Error): void {
    this.#ledger.outlet?.report('engine_failed', 'the inference engine failed', {}, reason);
  }

  /** Answers a frame that the engine has dropped. */
  #drop(frame: Frame, reason: DropReason): void {
    this.#ledger.drop(frame, reason);
    this.#intake.lost(frame);
  }

  #reportFailure(id: number): void {
    // The client does not know the ids of the server's own frames.
    const details = id < 0 ? {} : { id };
    this.#ledger.outlet?.report('generation_failed', errors.generation_failed.meaning, details);
  }
}
