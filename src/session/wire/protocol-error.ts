import { errors, type ErrorCode } from '@millrace/protocol';

/** The fields of an error message besides its code and text. */
export interface ErrorDetails {
  readonly request?: number;
  readonly id?: number;
  readonly field?: string;
}

export interface ProtocolErrorOptions extends ErrorOptions {
  /** Seconds after which a retry may succeed, if known; HTTP answers carry it as `Retry-After`. */
  readonly retryAfter?: number;
}

/** An error to report to the client, with its code. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly retryAfter: number | undefined;

  /**
   * @param message by default what the code means.
   * @param options `cause` is for the log: it is not the client's fault.
   */
  constructor(
    code: ErrorCode,
    message: string = errors[code].meaning,
    details: ErrorDetails = {},
    options: ProtocolErrorOptions = {},
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
    this.retryAfter = options.retryAfter;
  }
}
