import type { StreamParameters } from '@millrace/protocol';
import type { StreamState } from '../diffusion/stream.js';
import type { Image } from '../image/image.js';
import type { EngineDropReason, EngineFacts, InferenceCall, WorkerTimings } from './messages.js';
import type { ModelPart } from './model-part.js';

export type { InferenceCall, StreamState };

/** One generated image and what its making took. */
export interface GeneratedImage extends Image {
  readonly timings: WorkerTimings;
}

/** What a stream tells its owner. Called on the main thread, in order. */
export interface StreamListener {
  /** The frame is being worked on: the waiting place is free for the next. */
  onAdmitted(frame: number): void;
  /** The frame will have no result. */
  onDropped(frame: number, reason: EngineDropReason): void;
  /** `image.data` may be used until the returned promise settles; then the engine takes the memory back. */
  onResult(frame: number, image: GeneratedImage): Promise<void>;
  /** The engine was restarted: the stream goes on with its last parameters and no frame in flight. */
  onRestart(): void;
  /** The stream is over, not by its owner's doing. */
  onClosed(reason: Error): void;
}

/** A parameter that the model or the combination with others does not allow. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** How a frame is handed over. */
export interface PushOptions {
  /** Takes the place of a frame that still waits (live); otherwise it waits behind it. */
  readonly replace: boolean;
  /** Milliseconds of the processor that it took to decode, which count in the stream's share; 0 if absent. */
  readonly preparedMs?: number;
}

/** One user's denoising state inside the engine. */
export interface EngineStream {
  /**
   * Hands over a frame; its memory then belongs to the engine. It must have the stream's width and height;
   * null starts from noise alone (txt2img).
   * With `replace` (live) it takes the place of one that still waits; without, it waits behind it.
   */
  push(frame: number, image: Image | null, options: PushOptions): void;
  /**
   * Changes all parameters at a frame boundary.
   * @returns the first frame that they affect.
   * @throws {ParameterError} if they cannot be; the stream goes on as before.
   */
  configure(parameters: StreamParameters): Promise<{ readonly from: number }>;
  /**
   * Where the stream is, as plain data with which `openStream` goes on elsewhere: the frames under way that
   * entered with the present parameters, and the stream's place in its noise.
   * @throws {Error} if the engine fails meanwhile, or the stream is closed.
   */
  snapshot(): Promise<StreamState>;
  /** Ends the stream; frames in flight are given up. May be called twice. */
  close(): void;
}

export type EngineState =
  | { readonly name: 'starting'; readonly what: string }
  | ({ readonly name: 'ready' } & EngineFacts)
  | { readonly name: 'restarting'; readonly what: string }
  | { readonly name: 'failed'; readonly error: Error }
  | { readonly name: 'stopped' };

/** What the engine reports to whoever measures it. */
export interface EngineObserver {
  onState(state: EngineState): void;
  /** Something that whoever runs the server should know, in a sentence; each is told once. */
  onNote(text: string): void;
  /** An engine died, and is being started again; of several, the others go on meanwhile. */
  onRestart?(): void;
  /** A network computed a NaN or an infinite value, and the frame or prompt was given up. */
  onNotFinite?(part: ModelPart): void;
  /** It was given up during a call, which nothing can end: the process would not exit before that call returns. */
  onHang?(): void;
  /** A prompt was looked up in the cache of embeddings. */
  onEmbedding(lookup: { readonly hit: boolean }): void;
  onInference(call: InferenceCall): void;
}

/** How a stream begins. */
export interface OpenOptions {
  /**
   * Where a stream with these parameters was, in this or another engine: it goes on from there. The results of its
   * frames come to its listener; parts that do not fit this model are left out.
   */
  readonly state?: StreamState | undefined;
  /** Streams of one account share the time that one stream would get; without it a stream has its own share. */
  readonly account?: string | undefined;
}

/** The inference engine as the rest of the server sees it. */
export interface Engine extends AsyncDisposable {
  readonly state: EngineState;
  /** Settles when the engine is first ready. @throws if it cannot be started. */
  start(): Promise<void>;
  /**
   * Opens a stream; may be called while the engine starts, and then waits for it.
   * @throws {ParameterError} if the parameters are invalid.
   */
  openStream(
    parameters: StreamParameters,
    listener: StreamListener,
    options?: OpenOptions,
  ): Promise<EngineStream>;
  /** A free buffer for the pixels of a frame, reused where one is at hand. */
  allocate(bytes: number): Uint8Array<ArrayBuffer>;
}
