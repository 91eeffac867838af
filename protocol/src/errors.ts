/** How an error reaches the client and what the connection does after it. */
export interface ErrorDefinition {
  /** WebSocket close code (RFC 6455 section 7.4) when the error ends the connection; absent when it goes on. */
  readonly close?: number;
  /** HTTP status when the error answers a plain HTTP request or refuses the upgrade. */
  readonly status: number;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  /** One sentence for people. */
  readonly meaning: string;
}

/**
 * Every error that a client can meet. The code is the stable part of the contract; texts may change.
 * The table in PROTOCOL.md is checked against this object by a test.
 */
export const errors = {
  invalid_message: {
    close: 4400,
    status: 400,
    retryable: false,
    meaning: 'The message is not a valid MessagePack map of a known form.',
  },
  unknown_message: {
    status: 400,
    retryable: false,
    meaning: 'The message type is not part of this protocol.',
  },
  hello_required: {
    close: 4400,
    status: 400,
    retryable: false,
    meaning: 'Something other than one hello came before ready, or another hello after it.',
  },
  hello_timeout: {
    close: 4408,
    status: 408,
    retryable: true,
    meaning: 'No hello arrived within the time limit.',
  },
  unsupported_protocol: {
    status: 400,
    retryable: false,
    meaning: 'The client offered no subprotocol that this server speaks.',
  },
  message_too_large: {
    close: 1009,
    status: 413,
    retryable: false,
    meaning: 'The message is larger than the limit; there may be no more than this close code to say so.',
  },
  invalid_parameter: {
    status: 400,
    retryable: false,
    meaning:
      'A parameter is unknown, of the wrong type, out of range or impossible together with another; the previous settings stay.',
  },
  invalid_frame: {
    status: 400,
    retryable: false,
    meaning: 'The frame is not an image that can be decoded, or its size is beyond the limit.',
  },
  credit_exceeded: {
    status: 429,
    retryable: true,
    meaning: 'The client sent more frames than it had credits for; the frame was dropped.',
  },
  rate_limited: {
    status: 429,
    retryable: true,
    meaning: 'Too many messages of this kind in a short time; wait and retry.',
  },
  too_many_sessions: {
    close: 1013,
    status: 503,
    retryable: true,
    meaning: 'The server carries as many sessions as it may; try later or elsewhere.',
  },
  queue_timeout: {
    close: 1013,
    status: 503,
    retryable: true,
    meaning: 'No place became free while the session waited in the queue.',
  },
  slow_reader: {
    close: 1013,
    status: 503,
    retryable: true,
    meaning: 'The client read too slowly for too long.',
  },
  idle_timeout: {
    close: 4408,
    status: 408,
    retryable: true,
    meaning: 'The peer was silent for longer than the limit.',
  },
  not_ready: {
    close: 1013,
    status: 503,
    retryable: true,
    meaning: 'The model is still being loaded; /readyz says how far it is.',
  },
  generation_failed: {
    status: 500,
    retryable: false,
    meaning:
      'The model computed values that are not numbers for this frame, which was dropped; the stream goes on.',
  },
  engine_restarting: {
    status: 503,
    retryable: true,
    meaning: 'The inference engine failed and is being restarted; the stream goes on with fresh state.',
  },
  engine_failed: {
    close: 1011,
    status: 500,
    retryable: true,
    meaning: 'The inference engine failed and could not be restarted.',
  },
  unauthorized: {
    close: 4401,
    status: 401,
    retryable: false,
    meaning: 'The token is missing, not valid for this server, or expired; another one may do.',
  },
  limit_exceeded: {
    status: 403,
    retryable: false,
    meaning: 'More than the token allows.',
  },
  invalid_resume_token: {
    close: 4403,
    status: 403,
    retryable: false,
    meaning: 'The resume token is damaged, outdated, used or of another subject; start afresh without it.',
  },
  taken_over: {
    close: 4409,
    status: 409,
    retryable: false,
    meaning: 'Another connection goes on with this session.',
  },
  forbidden_origin: {
    status: 403,
    retryable: false,
    meaning: 'The page that opened the connection is of an origin that is not allowed.',
  },
  not_found: { status: 404, retryable: false, meaning: 'There is nothing at this address.' },
  shutting_down: { close: 1001, status: 503, retryable: true, meaning: 'The server is shutting down.' },
  internal: {
    close: 1011,
    status: 500,
    retryable: true,
    meaning: 'An unexpected error in the server; it is in the log.',
  },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errors;

/** Whether a string received from a peer is a code of this catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errors, code);
}
