/** How an error reaches the client, and whether the connection continues. */
export interface ErrorDefinition {
  /** WebSocket close code (RFC 6455 section 7.4) if the error ends the connection; absent if it continues. */
  readonly close?: number;
  /** HTTP status if the error answers a plain HTTP request or refuses the upgrade. */
  readonly status: number;
  /** Whether the same request may succeed later, unchanged. */
  readonly retryable: boolean;
  /** A sentence for people. */
  readonly meaning: string;
}

/**
 * Every error that a client can receive: the single source of the table in PROTOCOL.md and of that of the Python client.
 * Codes are stable; texts may change.
 */
export const errors = {
  invalid_message: {
    close: 4400,
    status: 400,
    retryable: false,
    meaning: 'The message is malformed: not a MessagePack map, or a field is missing or invalid.',
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
    meaning: 'The client sent something other than a single hello before ready, or another hello after it.',
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
    meaning: 'The client did not offer a subprotocol that this server supports.',
  },
  message_too_large: {
    close: 1009,
    status: 413,
    retryable: false,
    meaning: 'The message is larger than the limit; the close code may be the only notice.',
  },
  invalid_parameter: {
    status: 400,
    retryable: false,
    meaning:
      'A parameter is unknown, of the wrong type, out of range or incompatible with another; the previous parameters stay in force.',
  },
  invalid_frame: {
    status: 400,
    retryable: false,
    meaning:
      'A picture of the frame cannot be decoded as an image, exceeds the limit on sizes, is missing, or belongs to no control.',
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
    meaning: 'The limit on sessions is reached; try again later or on another server.',
  },
  queue_timeout: {
    close: 1013,
    status: 503,
    retryable: true,
    meaning: 'No slot became free within the time limit of the queue.',
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
    meaning: 'The client was silent for longer than the limit.',
  },
  not_ready: {
    close: 1013,
    status: 503,
    retryable: true,
    meaning: 'The model is still loading; /readyz reports the progress.',
  },
  generation_failed: {
    status: 500,
    retryable: false,
    meaning:
      'A network of the model failed or produced NaN or infinite values; the frame was dropped, and the stream continues.',
  },
  engine_restarting: {
    status: 503,
    retryable: true,
    meaning: 'The inference engine failed and is restarting; the stream continues with fresh state.',
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
    meaning: 'The token is missing, expired or not valid for this server; another one may be accepted.',
  },
  limit_exceeded: {
    status: 403,
    retryable: false,
    meaning: 'The request exceeds what the token or the server allows.',
  },
  invalid_resume_token: {
    close: 4403,
    status: 403,
    retryable: false,
    meaning:
      'The resume token is damaged, outdated, used or of another subject; start a new stream without it.',
  },
  invalid_link: {
    status: 403,
    retryable: false,
    meaning: 'The link for viewers is damaged or has expired; the owner of the session can make another.',
  },
  too_many_viewers: {
    status: 503,
    retryable: true,
    meaning: 'There is no room for more viewers now; try again later.',
  },
  taken_over: {
    close: 4409,
    status: 409,
    retryable: false,
    meaning: 'Another connection has taken over this session.',
  },
  session_ended: {
    close: 4410,
    status: 410,
    retryable: false,
    meaning: 'The operator of the server has ended the session.',
  },
  forbidden_origin: {
    status: 403,
    retryable: false,
    meaning: 'The page that opened the connection has an origin that is not allowed.',
  },
  unsupported_mode: {
    status: 409,
    retryable: false,
    meaning: 'The model cannot do this: one that changes pictures needs an image.',
  },
  not_acceptable: {
    status: 406,
    retryable: false,
    meaning: 'None of the media types that the request accepts can be produced: JPEG, PNG and WebP can.',
  },
  not_found: { status: 404, retryable: false, meaning: 'There is nothing at this address.' },
  shutting_down: { close: 1001, status: 503, retryable: true, meaning: 'The server is shutting down.' },
  internal: {
    close: 1011,
    status: 500,
    retryable: true,
    meaning: 'An unexpected error occurred in the server; its log has the details.',
  },
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof errors;

/** Returns whether a string received from a peer is a code of this catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errors, code);
}
