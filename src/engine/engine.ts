import type { StreamParameters, UnderstoodPrompt } from '@millrace/protocol';
import type { StreamState } from '../diffusion/stream.js';
import type { Image } from '../image/image.js';
import type { FrameInput } from './frame-input.js';
import type { EngineDropReason, EngineEvent, EngineFacts, InferenceCall, WorkerTimings } from './messages.js';

export type { EngineEvent, FrameInput, InferenceCall, StreamState };

/** A generated image and its timings. */
export interface GeneratedImage extends Image {
  readonly timings: WorkerTimings;
  /** Copies of the pictures by which controls have steered it, by their names, if they are to be shown. */
  readonly controls?: Readonly<Record<string, Image>>;
  /** Whether the safety checker flagged it, or the one before it, so that it is blurred. */
  readonly flagged?: boolean;
}

/** Events of a stream, delivered on the main thread, in order. */
export interface StreamListener {
  /** Work on the frame has begun: the next frame may wait. */
  onAdmitted(frame: number): void;
  /** The frame will have no result. */
  onDropped(frame: number, reason: EngineDropReason): void;
  /** `image.data` is valid until the returned promise settles; then the engine reuses the memory. */
  onResult(frame: number, image: GeneratedImage): Promise<void>;
  /** The engine was restarted: the stream continues with its last parameters and no frame in flight. */
  onRestart(): void;
  /** The stream ended without a call of `close`. */
  onClosed(reason: Error): void;
}

/** A parameter is invalid for the model or in combination with others. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** Options of `push`. */
export interface PushOptions {
  /** Whether it replaces a waiting frame (live); otherwise it waits behind it. */
  readonly replace: boolean;
}

/** One user's denoising state inside the engine. */
export interface EngineStream {
  /** What the model made of the prompts in force; undefined if the engine does not say. */
  readonly understood?: readonly UnderstoodPrompt[] | undefined;
  /** Hands over a frame and the ownership of its memory. Pictures must have the stream's width and height. */
  push(frame: number, input: FrameInput, options: PushOptions): void;
  /**
   * Changes all parameters at a frame boundary.
   * @returns the first frame that they affect.
   * @throws {ParameterError} if they are invalid; the stream then keeps its parameters.
   */
  configure(parameters: StreamParameters): Promise<{ readonly from: number }>;
  /**
   * Returns the state of the stream as plain data, from which `openStream` can continue in another engine: the frames
   * under way that entered with the current parameters, and the stream's position in its noise.
   * @throws {Error} if the engine fails before it answers, or the stream is closed.
   */
  snapshot(): Promise<StreamState>;
  /** Ends the stream and discards frames in flight. May be called twice. */
  close(): void;
}

export type EngineState =
  | { readonly name: 'starting'; readonly what: string }
  | ({ readonly name: 'ready' } & EngineFacts)
  | { readonly name: 'restarting'; readonly what: string }
  | { readonly name: 'failed'; readonly error: Error }
  | { readonly name: 'stopped' };

/** Events of the engine, for logs and metrics. */
export interface EngineObserver {
  onState(state: EngineState): void;
  /** One sentence that the operator should know; each is reported once. */
  onNote(text: string): void;
  /** An engine died and is being restarted; if there are several, the others continue. */
  onRestart?(): void;
  /** The engine was abandoned in a call that cannot be interrupted: the process cannot exit until the call returns. */
  onHang?(): void;
  onEvent(event: EngineEvent): void;
}

/** Options of `openStream`. */
export interface OpenOptions {
  /**
   * State of a stream with these parameters, from this or another engine, to continue from. The listener also gets the
   * results of its frames; parts that do not fit this model are skipped.
   */
  readonly state?: StreamState | undefined;
  /** Streams of one account share one share of the time; without an account, a stream has its own. */
  readonly account?: string | undefined;
}

/** The inference engine, as seen by the rest of the server. */
export interface Engine extends AsyncDisposable {
  readonly state: EngineState;
  /** Starts the engine and waits until it is ready. @throws if the start fails. */
  start(): Promise<void>;
  /**
   * Opens a stream; waits for an engine that is still starting.
   * @throws {ParameterError} if the parameters are invalid.
   */
  openStream(
    parameters: StreamParameters,
    listener: StreamListener,
    options?: OpenOptions,
  ): Promise<EngineStream>;
  /** Returns a buffer for the pixels of a frame, reused if one of that size is free. */
  allocate(bytes: number): Uint8Array<ArrayBuffer>;
}
