import type { ErrorCode } from './errors.js';
import type { ParameterUpdate, StreamParameters } from './parameters/index.js';

/** WebSocket subprotocol (RFC 6455 section 1.9) of this major version. */
export const subprotocol = 'millrace.v1';

/** Version of the protocol, which `ready` names: the minor number rises with what is added. */
export const protocolVersion = '1.0';

/** Longest texts in UTF-16 code units. */
export const textLimits = { client: 200, token: 8192, resume: 1_500_000 } as const;

/**
 * Why an input frame has no result of its own: a newer one took its place before it was worked on
 * (`superseded`); it hardly differs from the last one (`similar`); it was beyond the client's credits
 * (`overload`); it was worked on, but a newer result was at hand when the client could take one (`stale`);
 * it is not a usable image (`invalid`); or the server lost it (`failed`).
 */
export const dropReasons = ['superseded', 'similar', 'overload', 'stale', 'invalid', 'failed'] as const;
export type DropReason = (typeof dropReasons)[number];

/** First message of a connection. */
export interface HelloMessage {
  readonly type: 'hello';
  /** Name and version of the client software, for the server's log. At most 200 characters. */
  readonly client?: string;
  /** Parameters to start with; what is left out has the model's defaults. Without effect with `resume`. */
  readonly parameters?: ParameterUpdate;
  /** API key or JWT, where the server asks for one and the upgrade had no `Authorization` header. */
  readonly token?: string;
  /** The newest token of `checkpoint` or `drain`: the stream goes on where it was. */
  readonly resume?: string;
  /** When the message is sent, in milliseconds of the client's own clock. */
  readonly sent?: number;
}

/** One input image. Costs one credit. */
export interface FrameMessage {
  readonly type: 'frame';
  /** Chosen by the client, 0 to 2^53-1; higher than every one before in the session, over all its connections. */
  readonly id: number;
  /** When the image was captured, in milliseconds of the client's own clock; comes back with the result. */
  readonly captured: number;
  /** A JPEG, PNG or WebP file. */
  readonly data: Uint8Array;
}

/** Changes parameters while the stream runs, all at one frame boundary or not at all. */
export interface UpdateMessage {
  readonly type: 'update';
  /** Chosen by the client; `updated` or `error` repeats it. */
  readonly request: number;
  readonly parameters: ParameterUpdate;
}

/** Says that a result was displayed (or thrown away), which lets the server send another. */
export interface AckMessage {
  readonly type: 'ack';
  /** The highest `sequence` that the client is done with. */
  readonly sequence: number;
}

/** Asks what the server's clock says; any time after `ready`. */
export interface PingMessage {
  readonly type: 'ping';
  /** The client's clock in milliseconds. */
  readonly sent: number;
  /** The client's clock minus the server's in milliseconds, as far as the client knows from earlier answers. */
  readonly offset?: number;
}

/** Takes the place of the token that the session has, before that one expires. */
export interface AuthenticateMessage {
  readonly type: 'authenticate';
  readonly token: string;
}

export type ClientMessage =
  HelloMessage | FrameMessage | UpdateMessage | AckMessage | PingMessage | AuthenticateMessage;

/** Limits that the server holds this connection to. */
export interface Limits {
  /** Largest WebSocket message in bytes. */
  readonly message_bytes: number;
  /** Largest input image in pixels (width times height, by its header). */
  readonly frame_pixels: number;
  /** Results that may be sent and not yet acknowledged. */
  readonly unacknowledged_results: number;
  /** Updates that are carried out in a second. */
  readonly updates_per_second: number;
  /** Frames a second that are worked on at most, if the token says so. */
  readonly fps?: number;
  /** Largest `width` and `height`, if the token says so. */
  readonly size?: number;
  /** Most denoising steps, if the token says so. */
  readonly steps?: number;
}

/** The session waits for a place; `ready` or `error` follows. Comes again when the position changes. */
export interface QueuedMessage {
  readonly type: 'queued';
  /** 1 is next. */
  readonly position: number;
  /** Estimate, in seconds. */
  readonly wait_seconds: number;
}

/** The stream is open; frames may be sent. */
export interface ReadyMessage {
  readonly type: 'ready';
  /** Version of the protocol that the server speaks, `major.minor`. */
  readonly protocol: string;
  /** Opaque name of this session, for support and logs; a resumed session keeps it. */
  readonly session: string;
  /** Whether the stream of `hello.resume` goes on. */
  readonly resumed: boolean;
  /** Name and version of the server software. */
  readonly server: string;
  readonly model: string;
  /** All parameters as they are now. */
  readonly parameters: StreamParameters;
  /** How many frames the client may send before the first `credit` message. */
  readonly credits: number;
  readonly limits: Limits;
  /** Seconds until the token expires; absent if it does not. */
  readonly token_expires?: number;
}

/** Allows further frames. */
export interface CreditMessage {
  readonly type: 'credit';
  /** Frames that the client may have sent in all since `ready`; never falls. */
  readonly total: number;
}

/** Milliseconds that a frame spent in each stage of the server, in the order in which it passes them. */
export interface StageTimings {
  /** Waiting in the session and decoding the image file. */
  readonly decode: number;
  /** Waiting for the engine. */
  readonly queue: number;
  /** VAE encoder and noising. */
  readonly encode: number;
  /** U-Net steps, waiting for their turns included. */
  readonly denoise: number;
  /** VAE decoder. */
  readonly vae_decode: number;
  /** Encoding the image file. */
  readonly image_encode: number;
  /** From the arrival of the frame to the sending of its result. */
  readonly total: number;
}

/**
 * When a frame passed the stages, in milliseconds of the client's clock; each is at least as late as the one before.
 */
export interface StageTimes {
  /** Its message arrived. */
  readonly received: number;
  /** The image file was decoded and handed to the engine. */
  readonly decoded: number;
  /** The engine took it up. */
  readonly queued: number;
  /** The VAE had encoded it. */
  readonly encoded: number;
  /** The last U-Net step was done. */
  readonly denoised: number;
  /** The VAE had decoded it. */
  readonly vae_decoded: number;
  /** The result left. */
  readonly sent: number;
}

/** One generated image. */
export interface ResultMessage {
  readonly type: 'result';
  /** The input frame that it was made from; with `mode: txt2img` the server counts: 0, 1, 2, ... */
  readonly id: number;
  /** 1, 2, 3, ... over the results of this connection. */
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

/** An input frame that gets no result of its own. For `similar` the previous result stands for it. */
export interface DroppedMessage {
  readonly type: 'dropped';
  readonly id: number;
  readonly reason: DropReason;
}

/** The answer to `update`: it is in force. */
export interface UpdatedMessage {
  readonly type: 'updated';
  readonly request: number;
  /** The first input frame whose result it affects. */
  readonly from: number;
  /** All parameters as they are now. */
  readonly parameters: StreamParameters;
}

/** The server is overloaded, or no longer so, and changes what this session gets. */
export interface QualityMessage {
  readonly type: 'quality';
  /** Frames a second that are worked on at most from now on; null when nothing is held back any more. */
  readonly fps: number | null;
}

/** The answer to `ping`. */
export interface PongMessage {
  readonly type: 'pong';
  /** `sent` of the ping. */
  readonly sent: number;
  /** The server's clock when the ping arrived, in milliseconds; where it starts means nothing. */
  readonly received: number;
}

/** The answer to `authenticate`: the new token is in force. */
export interface AuthenticatedMessage {
  readonly type: 'authenticated';
  /** Seconds until it expires; absent if it does not. */
  readonly expires_seconds?: number;
  /** What the session is held to from now on. */
  readonly limits?: Limits;
}

/** What `hello.resume` may hold from now on; every earlier token of the session is of no more use. */
export interface CheckpointMessage {
  readonly type: 'checkpoint';
  /** Opaque. */
  readonly token: string;
}

/** The server is going to stop: the client should connect again, elsewhere if it can. */
export interface DrainMessage {
  readonly type: 'drain';
  /** Seconds until the server closes the connection. */
  readonly deadline_seconds: number;
  /** As in `checkpoint`; absent where sessions cannot be resumed. */
  readonly token?: string;
}

/** Something went wrong; if the catalogue gives the code a close code, the connection closes after it. */
export interface ErrorMessage {
  readonly type: 'error';
  readonly code: ErrorCode;
  readonly message: string;
  /** The `request` of the update that it answers. */
  readonly request?: number;
  /** The input frame that it is about. */
  readonly id?: number;
  /** The parameter or message field that is at fault. */
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
