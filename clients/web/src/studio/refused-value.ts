import type { MillraceError } from '@millrace/client';

/** Returns whether a server refused the value of a parameter: the stream, or another `hello`, may go on without it. */
export function isRefusedValue({ code }: MillraceError): boolean {
  return code === 'invalid_parameter' || code === 'limit_exceeded';
}
