import type { ErrorCode, errors, StreamParameters } from '@millrace/protocol';
import type { Logger } from 'pino';
import type { Engine } from '../../engine/engine.js';
import type { PictureCodec } from '../../image/codec.js';
import type { Metrics } from '../../metrics/metrics.js';
import type { Access } from '../access/access.js';
import type { SessionKeys } from '../access/session-keys.js';
import type { Admission } from '../admission/admission.js';
import type { Capacity } from '../admission/capacity.js';
import type { FrameLimits } from '../frames/frame-pipeline.js';
import type { PictureTurns } from '../frames/picture-turns.js';
import type { Audiences } from '../live/audience.js';
import type { ParameterRules } from '../live/parameter-rules.js';
import type { Pauses } from '../time/pause-watch.js';
import type { ResumeTokens } from '../live/resume-token.js';
import type { Sessions } from '../live/sessions.js';
import type { StyleImages } from '../live/style-images.js';

/** Times in milliseconds. */
export interface SessionLimits extends FrameLimits {
  /** Until hello must have come, and led to a slot or a place in the queue. */
  readonly helloTimeoutMs: number;
  /** Without a frame, a result or an update; 0 for no limit. */
  readonly idleTimeoutMs: number;
  /** Between checkpoints. */
  readonly checkpointIntervalMs: number;
  readonly messageBytes: number;
  readonly updatesPerSecond: number;
  /** Bytes that may wait for a client to read them. */
  readonly bufferedBytes: number;
}

/** What all connections of a server share. */
export interface ConnectionContext {
  readonly engine: Engine;
  readonly model: string;
  /** Name and version of this software. */
  readonly server: string;
  readonly rules: ParameterRules;
  readonly limits: SessionLimits;
  readonly access: Access;
  readonly admission: Admission;
  /** What the engine has time for. */
  readonly capacity: Pick<Capacity, 'share' | 'basis' | 'checkCall'>;
  readonly sessions: Sessions;
  readonly tokens: ResumeTokens;
  readonly keys: SessionKeys;
  readonly audiences: Audiences;
  readonly metrics: Metrics;
  readonly pictures: PictureCodec;
  readonly turns: PictureTurns;
  readonly styleImages: StyleImages;
  /** Returns the parameters of the images (txt2img) that were being generated within the last `ms` milliseconds. */
  readonly recentImages: (ms: number) => readonly StreamParameters[];
  /** The last pause of this process. */
  readonly pauses: Pauses;
  /** Whether the last result of each session is kept for operators. */
  readonly keepPictures: boolean;
  readonly log: Logger;
}

/** Errors that end the connection. */
export type FinalCode = {
  [Code in ErrorCode]: (typeof errors)[Code] extends { readonly close: number } ? Code : never;
}[ErrorCode];
