import { errors, isErrorCode, type ErrorCode, type ErrorMessage } from '@millrace/protocol';

/** Failures that the client itself finds, beside the codes that a server sends. */
const clientErrors = {
  no_websocket: {
    retryable: false,
    meaning: 'This runtime has no WebSocket; pass one as the option webSocket.',
  },
  invalid_url: { retryable: false, meaning: 'This is not the address of a server.' },
  connection_failed: { close: 1006, retryable: true, meaning: 'The server could not be reached.' },
  connection_lost: { close: 1006, retryable: true, meaning: 'The connection to the server was lost.' },
  connection_closed: {
    close: 1000,
    retryable: false,
    meaning: 'The server closed the connection, and would close another in the same way.',
  },
  unknown_error: {
    retryable: true,
    meaning: 'The server reported an error that this version does not know.',
  },
  closed: { close: 1000, retryable: false, meaning: 'The stream is closed.' },
  protocol_error: {
    close: 4400,
    retryable: false,
    meaning: 'The server sent something that is not millrace.v1.',
  },
} as const;

export type MillraceErrorCode = ErrorCode | keyof typeof clientErrors;

/**
 * The code and text of an error that a server names: with a code that only a newer server knows they are
 * `unknown_error`, and the text shows the code.
 */
export function knownError(
  code: string,
  message: string,
): { readonly code: MillraceErrorCode; readonly message: string } {
  return isErrorCode(code) ? { code, message } : { code: 'unknown_error', message: `${message} (${code})` };
}

/** An error of the server; one with a code that only a newer server knows has `unknown_error` in its place. */
export type ReceivedError = Omit<ErrorMessage, 'code'> & { readonly code: MillraceErrorCode };

interface ErrorDetails extends ErrorOptions {
  readonly message?: string | undefined;
  readonly field?: string | undefined;
  readonly frame?: number | undefined;
  readonly retryAfter?: number | undefined;
}

/** Everything that this package throws, rejects with or hands to `error` listeners. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  /** Stable; the message may change. */
  readonly code: MillraceErrorCode;
  /** The parameter or message field that is at fault. */
  readonly field: string | undefined;
  /** Id of the input frame that it is about. */
  readonly frame: number | undefined;
  /** Seconds after which to try again, where the server said so. */
  readonly retryAfter: number | undefined;

  constructor(code: MillraceErrorCode, details: ErrorDetails = {}) {
    super(details.message ?? definition(code).meaning, details);
    this.code = code;
    this.field = details.field;
    this.frame = details.frame;
    this.retryAfter = details.retryAfter;
  }

  static fromMessage({ code, message, field, id }: ReceivedError): MillraceError {
    return new MillraceError(code, { message, field, frame: id });
  }

  /** Whether it ends the stream. */
  get fatal(): boolean {
    return definition(this.code).close !== undefined;
  }

  /** Whether the same request may succeed later without being changed. */
  get retryable(): boolean {
    return definition(this.code).retryable;
  }
}

interface Definition {
  /** The close code, when it ends the stream. */
  readonly close?: number;
  readonly retryable: boolean;
  readonly meaning: string;
}

function definition(code: MillraceErrorCode): Definition {
  return Object.hasOwn(errors, code)
    ? errors[code as ErrorCode]
    : clientErrors[code as keyof typeof clientErrors];
}
