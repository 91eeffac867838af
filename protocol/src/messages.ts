import type { ErrorCode } from './errors.js';
import type { ParameterUpdate, StreamParameters } from './parameters/index.js';

/** WebSocket subprotocol (RFC 6455 section 1.9) of this major version. */
export const subprotocol = 'millrace.v1';

/** Version of the protocol, as in `ready`; additions raise the minor number. */
export const protocolVersion = '1.0';

/** Longest texts, in UTF-16 code units. */
export const textLimits = { client: 200, token: 8192, resume: 1_500_000 } as const;

/**
 * Why an input frame has no result: a newer frame replaced it before processing began (`superseded`); it is nearly
 * identical to the previous one (`similar`); the client had no credit for it (`overload`); a newer frame was in
 * progress by the time the client could take the result (`stale`); it is not a usable image (`invalid`); or the server
 * lost it (`failed`).
 */
export const dropReasons = ['superseded', 'similar', 'overload', 'stale', 'invalid', 'failed'] as const;
export type DropReason = (typeof dropReasons)[number];

/** First message of a connection. */
export interface HelloMessage {
  readonly type: 'hello';
  /** Name and version of the client software, for the server's log. At most 200 characters. */
  readonly client?: string;
  /** Initial parameters; omitted ones have the model's defaults. Ignored with `resume`. */
  readonly parameters?: ParameterUpdate;
  /** API key or JWT, if the server requires one and the upgrade had no `Authorization` header. */
  readonly token?: string;
  /** The newest token of `checkpoint` or `drain`: the stream continues where it stopped. */
  readonly resume?: string;
  /** Time of sending, in milliseconds of the client's clock. */
  readonly sent?: number;
}

/** One input image. Costs one credit. */
export interface FrameMessage {
  readonly type: 'frame';
  /** Chosen by the client, 0 to 2^53-1; higher than all earlier ids of the session, across its connections. */
  readonly id: number;
  /** Time of capture, in milliseconds of the client's clock; the result repeats it. */
  readonly captured: number;
  /** A JPEG, PNG or WebP file. */
  readonly data: Uint8Array;
}

/** Changes parameters of the running stream, all at one frame boundary or not at all. */
export interface UpdateMessage {
  readonly type: 'update';
  /** Chosen by the client; `updated` or `error` repeats it. */
  readonly request: number;
  readonly parameters: ParameterUpdate;
}

/** Reports that a result was displayed (or discarded), which allows the server to send another. */
export interface AckMessage {
  readonly type: 'ack';
  /** The highest `sequence` that the client has displayed or discarded. */
  readonly sequence: number;
}

/** Asks for the time of the server's clock; allowed at any time after `ready`. */
export interface PingMessage {
  readonly type: 'ping';
  /** The client's clock in milliseconds. */
  readonly sent: number;
  /** The client's clock minus the server's in milliseconds, as estimated from earlier pongs. */
  readonly offset?: number;
}

/** Replaces the session's access token before it expires. */
export interface AuthenticateMessage {
  readonly type: 'authenticate';
  readonly token: string;
}

export type ClientMessage =
  HelloMessage | FrameMessage | UpdateMessage | AckMessage | PingMessage | AuthenticateMessage;

/** Limits of this connection. */
export interface Limits {
  /** Largest WebSocket message in bytes. */
  readonly message_bytes: number;
  /** Largest input image in pixels (width times height, by its header). */
  readonly frame_pixels: number;
  /** Maximum number of results sent but not yet acknowledged. */
  readonly unacknowledged_results: number;
  /** Maximum number of updates per second. */
  readonly updates_per_second: number;
  /** Maximum number of frames processed per second, if the token limits it. */
  readonly fps?: number;
  /** Largest `width` and `height`, if the token limits them. */
  readonly size?: number;
  /** Maximum number of denoising steps, if the token limits it. */
  readonly steps?: number;
}

/** The session waits for a slot; `ready` or `error` follows. Sent again when the position changes. */
export interface QueuedMessage {
  readonly type: 'queued';
  /** 1 is next. */
  readonly position: number;
  /** Estimated, in seconds. */
  readonly wait_seconds: number;
}

/** The stream is open; frames may be sent. */
export interface ReadyMessage {
  readonly type: 'ready';
  /** The server's version of the protocol, `major.minor`. */
  readonly protocol: string;
  /** Opaque name of this session, for support and logs; a resumed session keeps it. */
  readonly session: string;
  /** Whether the stream of `hello.resume` continues. */
  readonly resumed: boolean;
  /** Name and version of the server software. */
  readonly server: string;
  readonly model: string;
  /** All parameters in force. */
  readonly parameters: StreamParameters;
  /** Frames that the client may send before the first `credit` message. */
  readonly credits: number;
  readonly limits: Limits;
  /** Seconds until the token expires; absent if it does not. */
  readonly token_expires?: number;
}

/** Grants credits for more frames. */
export interface CreditMessage {
  readonly type: 'credit';
  /** Total number of frames that the client may send, counted from `ready`; never decreases. */
  readonly total: number;
}

/** Milliseconds that a frame spent in each stage of the server, in their order. */
export interface StageTimings {
  /** Waiting in the session and decoding the image file. */
  readonly decode: number;
  /** Waiting for the engine. */
  readonly queue: number;
  /** VAE encoder and noising. */
  readonly encode: number;
  /** U-Net steps, including the waits between them. */
  readonly denoise: number;
  /** VAE decoder. */
  readonly vae_decode: number;
  /** Encoding the image file. */
  readonly image_encode: number;
  /** From the arrival of the frame to the sending of its result. */
  readonly total: number;
}

/**
 * When a frame passed each stage, in milliseconds of the client's clock; the times never decrease.
 */
export interface StageTimes {
  /** Its message arrived. */
  readonly received: number;
  /** The image file was decoded and passed to the engine. */
  readonly decoded: number;
  /** The engine started on it. */
  readonly queued: number;
  /** The VAE had encoded it. */
  readonly encoded: number;
  /** The last U-Net step was done. */
  readonly denoised: number;
  /** The VAE had decoded it. */
  readonly vae_decoded: number;
  /** The result was sent. */
  readonly sent: number;
}

/** One generated image. */
export interface ResultMessage {
  readonly type: 'result';
  /** The input frame that it was generated from; with `mode: txt2img` the server counts 0, 1, 2, ... */
  readonly id: number;
  /** 1, 2, 3, ... for the results of this connection. */
  readonly sequence: number;
  /** `captured` of that input frame, unchanged; with `mode: txt2img` 0. */
  readonly captured: number;
  readonly width: number;
  readonly height: number;
  readonly timings: StageTimings;
  readonly times: StageTimes;
  /** A JPEG file. */
  readonly data: Uint8Array;
}

/** An input frame that gets no result. For `similar`, the previous result also counts for this frame. */
export interface DroppedMessage {
  readonly type: 'dropped';
  readonly id: number;
  readonly reason: DropReason;
}

/** The answer to `update`: the new parameters are in force. */
export interface UpdatedMessage {
  readonly type: 'updated';
  readonly request: number;
  /** The first input frame whose result is affected. */
  readonly from: number;
  /** All parameters in force. */
  readonly parameters: StreamParameters;
}

/** The server is overloaded, or has recovered, and changes the frame rate of this session. */
export interface QualityMessage {
  readonly type: 'quality';
  /** Maximum number of frames processed per second from now on; null lifts the limit. */
  readonly fps: number | null;
}

/** The answer to `ping`. */
export interface PongMessage {
  readonly type: 'pong';
  /** `sent` of the ping. */
  readonly sent: number;
  /** The server's clock when the ping arrived, in milliseconds; its zero point is arbitrary. */
  readonly received: number;
}

/** The answer to `authenticate`: the new token is in force. */
export interface AuthenticatedMessage {
  readonly type: 'authenticated';
  /** Seconds until the token expires; absent if it does not. */
  readonly expires_seconds?: number;
  /** Limits of the session from now on. */
  readonly limits?: Limits;
}

/** A new value for `hello.resume`; replaces all earlier tokens of the session. */
export interface CheckpointMessage {
  readonly type: 'checkpoint';
  /** Opaque. */
  readonly token: string;
}

/** The server is going to stop: the client should connect again, to another server if possible. */
export interface DrainMessage {
  readonly type: 'drain';
  /** Seconds until the server closes the connection. */
  readonly deadline_seconds: number;
  /** As in `checkpoint`; absent if sessions cannot be resumed. */
  readonly token?: string;
}

/** Something went wrong; if the catalogue lists a close code for it, the connection closes. */
export interface ErrorMessage {
  readonly type: 'error';
  readonly code: ErrorCode;
  readonly message: string;
  /** The `request` of the refused update. */
  readonly request?: number;
  /** The input frame concerned. */
  readonly id?: number;
  /** The parameter or message field at fault. */
  readonly field?: string;
}

export type ServerMessage =
  | QueuedMessage
  | ReadyMessage
  | CreditMessage
  | ResultMessage
  | DroppedMessage
  | UpdatedMessage
  | QualityMessage
  | PongMessage
  | AuthenticatedMessage
  | CheckpointMessage
  | DrainMessage
  | ErrorMessage;
