import type { StreamParameters } from '@millrace/protocol';
import { ProtocolError } from '../wire/protocol-error.js';

/** The limits of a token; absent ones are unlimited. */
export interface GrantLimits {
  /** Sessions at the same time. */
  readonly sessions?: number;
  /** Frames per second that are processed. */
  readonly fps?: number;
  /** Largest width and height in pixels. */
  readonly size?: number;
  /** Denoising steps. */
  readonly steps?: number;
}

/** A user, and what they may do. */
export interface Grant {
  /** Name of the user: sessions are bound to it. */
  readonly subject: string;
  /** When it expires, in milliseconds of `Date.now()`; null for never. */
  readonly expires: number | null;
  readonly limits: GrantLimits;
}

/** The grant of everybody if no token is required. */
export const anonymous: Grant = { subject: 'anonymous', expires: null, limits: {} };

/** Returns the seconds until a grant expires; null if it never does. */
export function secondsUntil({ expires }: Grant): number | null {
  return expires === null ? null : Math.max(0, (expires - Date.now()) / 1000);
}

/** Reads limits from a claim of a JWT or a file of API keys. @throws {TypeError} naming the invalid part. */
export function readGrantLimits(value: unknown): GrantLimits {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError('limits must be an object');
  }
  const limits: Record<string, number> = {};
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  for (const [name, limit] of entries) {
    if (!['sessions', 'fps', 'size', 'steps'].includes(name)) {
      throw new TypeError(`unknown limit ${JSON.stringify(name.slice(0, 40))}`);
    }
    const whole = name !== 'fps';
    const fits = whole ? Number.isSafeInteger(limit) : Number.isFinite(limit);
    if (typeof limit !== 'number' || !fits || limit <= 0) {
      throw new TypeError(`the limit ${name} must be ${whole ? 'a whole number' : 'a number'} above 0`);
    }
    limits[name] = limit;
  }
  return limits;
}

/** @throws {ProtocolError} limit_exceeded, naming the parameter that exceeds the grant. */
export function checkGrant(limits: GrantLimits, parameters: StreamParameters): void {
  const { size = Infinity, steps = Infinity } = limits;
  for (const side of ['width', 'height'] as const) {
    if (parameters[side] > size) refuse(side, size);
  }
  const { t_index_list: list } = parameters;
  if (list === null ? parameters.steps > steps : list.length > steps) {
    refuse(list === null ? 'steps' : 't_index_list', steps);
  }
}

function refuse(field: string, most: number): never {
  throw new ProtocolError('limit_exceeded', `the token allows at most ${most} for ${field}`, { field });
}
