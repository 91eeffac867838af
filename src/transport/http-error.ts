import { errors, type ErrorAnswer, type ErrorCode } from '@millrace/protocol';
import type { FastifyReply } from 'fastify';
import type { Metrics } from '../metrics/metrics.js';

/** Returns the body of an HTTP error. */
export function errorBody(
  code: ErrorCode,
  message: string = errors[code].meaning,
  field?: string,
): ErrorAnswer {
  return { error: { code, message, ...(field !== undefined && { field }) } };
}

/**
 * Seconds after which to retry, by status, if nothing else is known: a slot is soon free, a rate may be one per minute.
 */
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
  /** The invalid parameter. */
  readonly field?: string | undefined;
  /** Seconds after which a retry may succeed. */
  readonly retryAfter?: number | undefined;
}

/** Returns a function that answers a request with an error of the catalogue, and counts it. */
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
