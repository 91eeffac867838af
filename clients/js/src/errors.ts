import { errors, isErrorCode, type ErrorCode, type ErrorMessage } from '@millrace/protocol';

/** Errors that the client itself detects, in addition to the codes of a server. */
const clientErrors = {
  no_websocket: {
    retryable: false,
    meaning: 'This runtime has no WebSocket; pass one as the option webSocket.',
  },
  invalid_look: { retryable: false, meaning: 'This is not a file of looks.' },
  invalid_url: { retryable: false, meaning: 'This is not the address of a server.' },
  connection_failed: { close: 1006, retryable: true, meaning: 'The server could not be reached.' },
  connection_lost: { close: 1006, retryable: true, meaning: 'The connection to the server was lost.' },
  connection_closed: {
    close: 1000,
    retryable: false,
    meaning: 'The server closed the connection, and would close a new one for the same reason.',
  },
  unknown_error: {
    retryable: true,
    meaning: 'The server reported an error that this version does not know.',
  },
  closed: { close: 1000, retryable: false, meaning: 'The stream is closed.' },
  protocol_error: {
    close: 4400,
    retryable: false,
    meaning: 'The server sent an invalid millrace.v1 message.',
  },
} as const;

export type MillraceErrorCode = ErrorCode | keyof typeof clientErrors;

/**
 * Returns the code and text of an error from a server. If only a newer version has the code, it is replaced by
 * `unknown_error`, and the text shows it.
 */
export function knownError(
  code: string,
  message: string,
): { readonly code: MillraceErrorCode; readonly message: string } {
  return isErrorCode(code) ? { code, message } : { code: 'unknown_error', message: `${message} (${code})` };
}

/** An error from the server, with `unknown_error` in place of a code that only a newer version has. */
export type ReceivedError = Omit<ErrorMessage, 'code'> & { readonly code: MillraceErrorCode };

interface ErrorDetails extends ErrorOptions {
  readonly message?: string | undefined;
  readonly field?: string | undefined;
  readonly frame?: number | undefined;
  readonly retryAfter?: number | undefined;
}

/** The error that this package throws, rejects with or passes to `error` listeners. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  /** Stable; the message may change. */
  readonly code: MillraceErrorCode;
  /** The parameter or message field at fault. */
  readonly field: string | undefined;
  /** Id of the input frame concerned. */
  readonly frame: number | undefined;
  /** Seconds after which to try again, if the server gave a time. */
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

  /** Whether the error ends the stream. */
  get fatal(): boolean {
    return definition(this.code).close !== undefined;
  }

  /** Whether the same request may succeed later, unchanged. */
  get retryable(): boolean {
    return definition(this.code).retryable;
  }
}

interface Definition {
  /** The close code, if the error ends the stream. */
  readonly close?: number;
  readonly retryable: boolean;
  readonly meaning: string;
}

function definition(code: MillraceErrorCode): Definition {
  return Object.hasOwn(errors, code)
    ? errors[code as ErrorCode]
    : clientErrors[code as keyof typeof clientErrors];
}
