import { errors, type ErrorCode } from '@millrace/protocol';

/** The body of every HTTP answer that is an error. */
export function errorBody(code: ErrorCode, message: string = errors[code].meaning): object {
  return { error: { code, message } };
}
