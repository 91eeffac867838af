import type { StreamParameters, UnderstoodPrompt } from '@millrace/protocol';
import type { StreamState } from '../diffusion/stream.js';
import type { Image } from '../image/image.js';
import type { SafetySetting } from '../model/layout/safety-checker.js';
import type { Costs } from './costs.js';
import type { FrameInput } from './frame-input.js';
import type { ModelPart } from './model-part.js';

// Messages between the main thread and the engine's worker thread, which posts several at a time. Pixels are RGB, one
// byte per channel, row by row; their memory is transferred, and sent back for reuse.

/** Which graphs run if a model also has 8-bit graphs: `auto` takes the faster ones if their pictures match. */
export type Precision = 'auto' | 'float' | 'int8';

/**
 * When costs are measured: `auto` keeps those of an earlier start until the machine proves faster or slower, `kept`
 * keeps them unchecked, `fresh` measures at the start.
 */
export type Calibration = 'auto' | 'kept' | 'fresh';

/** When costs were measured. */
export interface CalibrationTime {
  readonly at: Date;
  /** Whether they were measured at an earlier start. */
  readonly isKept: boolean;
}

/** Settings of the worker, passed at its start. */
export interface WorkerOptions {
  /** Diffusers-style model folder. */
  readonly model: string;
  /** Device, in the syntax of `parseDevice`. */
  readonly device: string;
  /** Threads per inference call. */
  readonly threads: number;
  /** Folder for calibration results and TensorRT engines; null keeps none. */
  readonly cacheDirectory: string | null;
  /** Default: `auto`. */
  readonly precision?: Precision;
  /** Default: `auto`. */
  readonly calibration?: Calibration;
  /** Default: `auto`. */
  readonly safetyChecker?: SafetySetting;
}

/** What a stream starts with. */
export interface StreamStart {
  readonly parameters: StreamParameters;
  /** State of a stream with these parameters to continue from; null starts a new one. */
  readonly state: StreamState | null;
  /** Streams of one account share one share of the time; with null, the stream has its own. */
  readonly account: string | null;
}

/** All questions to the worker about a stream: what comes with each, and the value that answers it. */
export interface Questions {
  /** Opens the stream. */
  readonly open: { readonly argument: StreamStart; readonly value: null };
  /** Replaces all parameters; `from` is the first frame that the new ones affect. */
  readonly configure: { readonly argument: StreamParameters; readonly value: { readonly from: number } };
  /** Returns the state of the stream, without waiting frames. */
  readonly snapshot: { readonly argument: null; readonly value: StreamState };
}

export type Question = keyof Questions;

/** Asks a question about a stream. `request` is a number that no other question of the stream has. */
export type Ask<Q extends Question = Question> = {
  readonly [Kind in Q]: {
    readonly type: 'ask';
    readonly stream: number;
    readonly request: number;
    readonly question: Kind;
    readonly argument: Questions[Kind]['argument'];
  };
}[Q];

/** Answers the question with the number `request`. */
export interface Answered<Q extends Question = Question> {
  readonly type: 'answered';
  readonly stream: number;
  readonly request: number;
  readonly question: Q;
  readonly value: Questions[Q]['value'];
}

/** Refuses a question with invalid parameters; nothing has changed. */
export interface Refused {
  readonly type: 'refused';
  readonly stream: number;
  readonly request: number;
  /** The invalid parameter. */
  readonly field: string;
  readonly message: string;
}

export type ToWorker =
  | Ask
  | {
      readonly type: 'frame';
      readonly stream: number;
      readonly frame: number;
      /** Whether it replaces a waiting frame (live) or waits behind it (files, where every frame counts). */
      readonly replace: boolean;
      /** The stream's size when the frame was sent; its pictures have this size. */
      readonly width: number;
      readonly height: number;
      readonly input: FrameInput;
    }
  | { readonly type: 'close'; readonly stream: number }
  /** Returns the pixels of a result for reuse. */
  | { readonly type: 'recycle'; readonly pixels: ArrayBuffer }
  | { readonly type: 'stop' };

/** Messages to one stream, open or not yet open. */
export type MessageToStream = Extract<ToWorker, { readonly stream: number }>;

/** How long a frame spent in the worker, by phase. */
export interface WorkerTimings {
  /** Waiting to be admitted. */
  readonly queueMs: number;
  readonly vaeEncodeMs: number;
  /** All U-Net calls, and the waiting for them. */
  readonly denoiseMs: number;
  readonly vaeDecodeMs: number;
}

/** `stale`: the size of the stream has changed. `failed`: a network computed a NaN or infinite value. */
export type EngineDropReason = 'superseded' | 'similar' | 'stale' | 'failed';

/** Facts about an engine that is ready. */
export interface EngineFacts extends Costs {
  /** The device in use (never `auto`), such as `cpu` or `cuda:0`; several are separated by commas. */
  readonly device: string;
  readonly calibration: CalibrationTime;
}

/** One U-Net call, and the pictures of the frames finished since the previous call. */
export interface InferenceCall {
  readonly rows: number;
  readonly streams: number;
  /** Milliseconds of the call. */
  readonly ms: number;
  /** Milliseconds to encode and decode the pictures. */
  readonly pictureMs: number;
  /** Milliseconds expected by calibration for the call and the pictures. */
  readonly expectedMs: number;
}

export type FromWorker =
  /** What the start is doing, in words. */
  | { readonly type: 'starting'; readonly what: string }
  /** One sentence that the operator should know. */
  | { readonly type: 'note'; readonly text: string }
  | ({ readonly type: 'ready' } & EngineFacts)
  | Answered
  | Refused
  /** What the model made of the prompts of a stream; the answer that they are in force follows. */
  | {
      readonly type: 'understood';
      readonly stream: number;
      readonly prompts: readonly UnderstoodPrompt[];
    }
  /** The frame is no longer waiting: work on it has begun. */
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
      /** Copies of the pictures by which controls have steered it, if they are to be shown. */
      readonly controls?: Readonly<Record<string, Image>>;
      /** Whether it is blurred, since the safety checker flagged this or the previous one. */
      readonly flagged?: boolean;
    }
  /** One U-Net call was made. */
  | ({ readonly type: 'inference' } & InferenceCall)
  /** A prompt was looked up in the cache of embeddings. */
  | { readonly type: 'embedding'; readonly hit: boolean }
  /** A network computed a NaN or infinite value; a `dropped` or `refused` message follows. */
  | { readonly type: 'not_finite'; readonly part: ModelPart }
  /** A result was blurred, since the safety checker flagged it. */
  | { readonly type: 'flagged' }
  /** Returns the pixels of a frame for reuse. */
  | { readonly type: 'recycle'; readonly pixels: ArrayBuffer }
  /** The worker cannot continue, and exits. */
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'stopped' };

/** What the worker reports about its work, for logs and metrics. */
export type EngineEvent = Extract<
  FromWorker,
  { readonly type: 'inference' | 'embedding' | 'not_finite' | 'flagged' }
>;

/** Messages from one stream. */
export type MessageFromStream = Extract<FromWorker, { readonly stream: number }>;
