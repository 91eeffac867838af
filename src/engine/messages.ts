import type { StreamParameters } from '@millrace/protocol';
import type { StreamState } from '../diffusion/stream.js';
import type { Costs } from './costs.js';
import type { ModelPart } from './model-part.js';

// What crosses between the main thread and the engine's worker thread. Pixels are RGB, one byte a channel, row by row,
// in an ArrayBuffer that is transferred and goes back for reuse.

/** Which graphs run, where a model has some in 8 bits besides: `auto` takes those that are quicker here. */
export type Precision = 'auto' | 'float' | 'int8';

/** Settings of the worker, given at its start. */
export interface WorkerOptions {
  /** Diffusers-style model folder. */
  readonly model: string;
  /** Where it runs, as `parseDevice` takes it. */
  readonly device: string;
  /** Threads for one inference call. */
  readonly threads: number;
  /** Where calibration results and engines of TensorRT are kept; null keeps none. */
  readonly cacheDirectory: string | null;
  /** `auto` if not given. */
  readonly precision?: Precision;
}

export type ToWorker =
  | {
      readonly type: 'open';
      readonly stream: number;
      readonly parameters: StreamParameters;
      /** Where a stream with these parameters was; null starts a new one. */
      readonly state: StreamState | null;
      /** Streams of one account share what one stream would get; null has its own share. */
      readonly account: string | null;
    }
  | { readonly type: 'snapshot'; readonly stream: number; readonly request: number }
  | {
      readonly type: 'configure';
      readonly stream: number;
      readonly request: number;
      /** All parameters of the stream as they shall be from now on. */
      readonly parameters: StreamParameters;
    }
  | {
      readonly type: 'frame';
      readonly stream: number;
      readonly frame: number;
      /** Takes the place of a frame that still waits (live), or waits behind it (files, where each counts). */
      readonly replace: boolean;
      /** Milliseconds of the processor that decoding took; they count in the stream's share where it is the device. */
      readonly preparedMs: number;
      readonly width: number;
      readonly height: number;
      /** Null starts from noise alone (txt2img). */
      readonly pixels: ArrayBuffer | null;
    }
  | { readonly type: 'close'; readonly stream: number }
  /** Gives the pixels of a result back. */
  | { readonly type: 'recycle'; readonly pixels: ArrayBuffer }
  | { readonly type: 'stop' };

/** How long a frame spent in the worker. */
export interface WorkerTimings {
  /** Waiting to be admitted. */
  readonly queueMs: number;
  readonly vaeEncodeMs: number;
  /** All U-Net turns, and the waiting for them. */
  readonly denoiseMs: number;
  readonly vaeDecodeMs: number;
}

/** `stale`: its size is no longer that of the stream. `failed`: a network computed a NaN or an infinite value. */
export type EngineDropReason = 'superseded' | 'similar' | 'stale' | 'failed';

/** What is known of the model once it is loaded. */
interface ModelInfo {
  readonly name: string;
  /** Width and height must be multiples of it. */
  readonly sizeFactor: number;
  readonly defaults: Partial<StreamParameters>;
}

/** What is known of an engine that is ready. */
export interface EngineFacts extends Costs {
  /** Where it runs, such as `cpu` or `cuda:0`, also where `auto` was asked for; several are separated by commas. */
  readonly device: string;
  readonly model: ModelInfo;
}

/** One U-Net call, and the pictures of the frames that were finished since the one before. */
export interface InferenceCall {
  readonly rows: number;
  readonly streams: number;
  /** Milliseconds of the call. */
  readonly ms: number;
  /** Milliseconds to encode and decode the pictures. */
  readonly pictureMs: number;
  /** Milliseconds that calibration expects of call and pictures together. */
  readonly expectedMs: number;
}

export type FromWorker =
  /** What the start is doing, for people. */
  | { readonly type: 'starting'; readonly what: string }
  /** Something that whoever runs the server should know, in a sentence. */
  | { readonly type: 'note'; readonly text: string }
  | ({ readonly type: 'ready' } & EngineFacts)
  | { readonly type: 'opened'; readonly stream: number }
  | { readonly type: 'configured'; readonly stream: number; readonly request: number; readonly from: number }
  /** An open (request null) or configure that cannot be; the stream keeps what it had. */
  | {
      readonly type: 'rejected';
      readonly stream: number;
      readonly request: number | null;
      readonly field: string;
      readonly message: string;
    }
  | {
      readonly type: 'snapshotted';
      readonly stream: number;
      readonly request: number;
      readonly state: StreamState;
    }
  /** The frame left the waiting place and is being worked on. */
  | { readonly type: 'admitted'; readonly stream: number; readonly frame: number }
  | {
      readonly type: 'dropped';
      readonly stream: number;
      readonly frame: number;
      readonly reason: EngineDropReason;
    }
  | {
      readonly type: 'result';
      readonly stream: number;
      readonly frame: number;
      readonly width: number;
      readonly height: number;
      readonly pixels: ArrayBuffer;
      readonly timings: WorkerTimings;
    }
  /** One U-Net call was made. */
  | ({ readonly type: 'inference' } & InferenceCall)
  /** A prompt was looked up in the cache of embeddings. */
  | { readonly type: 'embedding'; readonly hit: boolean }
  /** A network computed a NaN or an infinite value; `dropped` or `rejected` says what was given up. */
  | { readonly type: 'not_finite'; readonly part: ModelPart }
  /** Gives the pixels of a frame back. */
  | { readonly type: 'recycle'; readonly pixels: ArrayBuffer }
  /** The worker cannot go on; it ends by itself. */
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stopped' };
