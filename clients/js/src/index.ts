export {
  fetchCapabilities,
  fetchReadiness,
  type Capabilities,
  type FetchOptions,
  type ParameterDefinition,
} from './capabilities.js';
export { connect, type ConnectOptions } from './connect.js';
export type { CloseInfo } from './closing.js';
export type { Token } from './dialler.js';
export { MillraceError, type MillraceErrorCode } from './errors.js';
export type { SendOptions } from './frame-sender.js';
export type { FramesOptions } from './results.js';
export type { LocalDropReason, PathTimings, StreamStats } from './statistics.js';
export type { MillraceStream } from './stream.js';
export type { StreamEvents } from './stream-events.js';
export type { Update } from './updates.js';
export type { WebSocketConstructor, WebSocketLike } from './web-socket.js';
export type {
  DropReason,
  ErrorCode,
  Limits,
  ParameterUpdate,
  QueuedMessage,
  Readiness,
  ResultMessage,
  StageTimes,
  StageTimings,
  StreamParameters,
  UnderstoodPrompt,
} from '@millrace/protocol';
export { understoodInWords } from '@millrace/protocol';
