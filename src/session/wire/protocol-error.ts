import type { ErrorCode } from '@millrace/protocol';

/** What an error message says besides its code and text. */
export interface ErrorDetails {
  readonly request?: number;
  readonly id?: number;
  readonly field?: string;
}

/** Something that a client did wrong or must be told of, with the code that tells it so. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /** @param options `cause` is for the log: what is behind it is not the client's doing. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
