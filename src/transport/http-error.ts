import { errors, type ErrorCode } from '@millrace/protocol';
import type { FastifyReply } from 'fastify';
import type { Metrics } from '../metrics/metrics.js';

/** The body of every HTTP answer that is an error. */
export function errorBody(code: ErrorCode, message: string = errors[code].meaning, field?: string): object {
  return { error: { code, message, ...(field !== undefined && { field }) } };
}

/** Seconds after which a picture that was refused may be asked for again: most take less. */
const retrySeconds = 1;

/** Headers that belong to a status: what to sign in with, and the seconds after which to ask again. */
export function errorHeaders(status: number, retryAfter: number): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Bearer' };
  if (status === 429) return { 'retry-after': '60' };
  if (status === 503) return { 'retry-after': String(retryAfter) };
  return {};
}

/** Gives what answers a request with an error of the catalogue, and counts it. */
export function refuser(
  metrics: Pick<Metrics, 'error'>,
): (reply: FastifyReply, code: ErrorCode, message?: string, field?: string) => FastifyReply {
  return (reply, code, message, field) => {
    const { status } = errors[code];
    metrics.error(code);
    return reply
      .code(status)
      .headers(errorHeaders(status, retrySeconds))
      .send(errorBody(code, message, field));
  };
}
