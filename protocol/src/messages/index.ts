/** WebSocket subprotocol (RFC 6455 section 1.9) of this major version. */
export const subprotocol = 'millrace.v1';

/** Version of the protocol, as in `ready`; additions raise the minor number. */
export const protocolVersion = '1.0';

export * from './client.js';
export {
  dropReasons,
  drops,
  stageNames,
  stages,
  type DropReason,
  type Stage,
  type StageTimes,
  type StageTimings,
} from './frames.js';
export { FieldError, readFields } from './read-fields.js';
export * from './server.js';
