import { errors, type ErrorCode } from '@millrace/protocol';

/** The body of every HTTP answer that is an error. */
export function errorBody(code: ErrorCode, message: string = errors[code].meaning, field?: string): object {
  return { error: { code, message, ...(field !== undefined && { field }) } };
}
