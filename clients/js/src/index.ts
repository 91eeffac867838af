export {
  fetchCapabilities,
  fetchReadiness,
  type Capabilities,
  type FetchOptions,
  type ParameterDefinition,
  type Readiness,
} from './capabilities.js';
export { connect, type ConnectOptions } from './connect.js';
export type { CloseInfo } from './connection.js';
export { MillraceError, type MillraceErrorCode } from './errors.js';
export type { LocalDropReason, StreamStats } from './statistics.js';
export type { MillraceStream, SendOptions, StreamEvents } from './stream.js';
export type { Update } from './updates.js';
export type { WebSocketConstructor, WebSocketLike } from './web-socket.js';
export type {
  DropReason,
  ErrorCode,
  Limits,
  ParameterUpdate,
  ResultMessage,
  StageTimings,
  StreamParameters,
} from '@millrace/protocol';
