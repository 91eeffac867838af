import { parameterSchemas, showValue, type ParameterName, type ParameterUpdate } from '@millrace/protocol';
import { ProtocolError } from '../../session/wire/protocol-error.js';
import type { Values } from './read-map.js';

/** Parameters that a conversation sets itself, and those whose value is a file. */
const kept: ReadonlySet<string> = new Set(['mode', 'fps', 'paused', 'style_image']);
/** Seeds of other programs have up to 53 bits. */
const seeds = 2 ** 32;

/**
 * Returns the parameters in a message of another program. As in these programs, an unknown name and null mean nothing;
 * the session checks the values. A seed that is too large is reduced modulo 2^32.
 * @param aliases names of the other program for parameters.
 */
export function readParameters(
  values: Values,
  aliases: Readonly<Record<string, ParameterName>> = {},
): ParameterUpdate {
  const parameters: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const own = Object.hasOwn(aliases, name) ? aliases[name] : name;
    if (own === undefined || !isGiven(value)) continue;
    if (!Object.hasOwn(parameterSchemas, own) || kept.has(own)) continue;
    parameters[own] = own === 'seed' && Number.isSafeInteger(value) ? foldSeed(Number(value)) : value;
  }
  return parameters;
}

/** Returns whether a field has a value: to these programs, null means nothing. */
export function isGiven<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

/** Returns a size such as 512x512. @throws {ProtocolError} invalid_parameter */
export function readSize(field: string, value: unknown): { readonly width: number; readonly height: number } {
  const [, width, height] = (typeof value === 'string' ? /^(\d{1,5})x(\d{1,5})$/.exec(value) : null) ?? [];
  if (width !== undefined && height !== undefined) return { width: Number(width), height: Number(height) };
  return refuseValue(field, 'a width and a height in pixels, such as 512x512', value);
}

/** Returns an integer within a range. @throws {ProtocolError} invalid_parameter */
export function readInteger(field: string, value: unknown, [least, most]: readonly [number, number]): number {
  const number = Number.isInteger(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= most) return number;
  return refuseValue(field, `an integer from ${least} to ${most}`, value);
}

/** @throws {ProtocolError} invalid_parameter, which says what the value of the field must be. */
export function refuseValue(field: string, wanted: string, value: unknown): never {
  const fault = `${field} must be ${wanted}, not ${showValue(value)}`;
  throw new ProtocolError('invalid_parameter', fault, { field });
}

function foldSeed(seed: number): number {
  return ((seed % seeds) + seeds) % seeds;
}
