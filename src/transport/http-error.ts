import { errors, type ErrorCode } from '@millrace/protocol';
import type { FastifyReply } from 'fastify';
import type { Metrics } from '../metrics/metrics.js';

/** The body of every HTTP answer that is an error. */
export function errorBody(code: ErrorCode, message: string = errors[code].meaning, field?: string): object {
  return { error: { code, message, ...(field !== undefined && { field }) } };
}

/** Seconds after which to try again, where nothing more is known: a place is soon free, a rate may be one a minute. */
const usualRetry: Readonly<Record<number, number>> = { 429: 60, 503: 1 };

/**
 * Returns the headers that belong to a status: how to sign in, or when to try again.
 * @param retryAfter seconds, rounded up here.
 */
export function errorHeaders(status: number, retryAfter = usualRetry[status] ?? 1): Record<string, string> {
  if (status === 401) return { 'www-authenticate': 'Bearer' };
  return status in usualRetry ? { 'retry-after': String(Math.ceil(retryAfter)) } : {};
}

interface RefusalDetails {
  /** The parameter that is at fault. */
  readonly field?: string | undefined;
  /** Seconds after which the same may succeed. */
  readonly retryAfter?: number | undefined;
}

/** Gives what answers a request with an error of the catalogue, and counts it. */
export function refuser(
  metrics: Pick<Metrics, 'error'>,
): (reply: FastifyReply, code: ErrorCode, message?: string, details?: RefusalDetails) => FastifyReply {
  return (reply, code, message, { field, retryAfter } = {}) => {
    const { status } = errors[code];
    metrics.error(code);
    return reply
      .code(status)
      .headers(errorHeaders(status, retryAfter))
      .send(errorBody(code, message, field));
  };
}
