import type { ErrorCode } from '@millrace/protocol';

/** What an error message says besides its code and text. */
export interface ErrorDetails {
  readonly request?: number;
  readonly id?: number;
  readonly field?: string;
}

/** Something that a client did wrong, with the code that tells it so. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}
