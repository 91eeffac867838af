import { isMap } from '../is-map.js';
import type { Field, Fields } from './fields.js';

/** A decoded map. */
type Values = Readonly<Record<string, unknown>>;

/** A field whose value is invalid. */
export class FieldError extends TypeError {
  override readonly name = 'FieldError';
  /** Its name; with those of the maps around it, as in `limits.fps`. */
  readonly field: string;

  constructor(field: string, wanted: string) {
    super(`${field} must be ${wanted}`);
    this.field = field;
  }
}

/**
 * Returns the fields of a message or map, checked. Unknown fields are left out, and so are optional ones that are nil
 * (PROTOCOL.md section 2).
 * @param table `fields` of a message.
 * @param read receives the fields, and is returned.
 * @throws {FieldError} if a field is absent or invalid.
 */
export function readFields(
  table: Fields,
  values: Values,
  path = '',
  read: Record<string, unknown> = {},
): Values {
  // Runs for each frame and result: a list of the entries would be allocated each time.
  for (const name in table) {
    const field = table[name] as Field;
    const value = values[name];
    if (field.optional === true && (value === undefined || value === null)) continue;
    const fault = describeFault(field, value);
    if (fault !== null) throw new FieldError(path + name, fault);
    read[name] = field.fields ? readInner(field.kind, field.fields, value, path + name) : value;
  }
  return read;
}

/** Returns a map with such fields, or a list of such maps. */
function readInner(kind: Field['kind'], fields: Fields, value: unknown, path: string): unknown {
  if (kind !== 'list') return readFields(fields, value as Values, `${path}.`);
  return (value as readonly Values[]).map((entry, i) => readFields(fields, entry, `${path}[${i}].`));
}

/** Returns null for a valid value, otherwise what it must be. */
function describeFault({ kind, most = Infinity }: Field, value: unknown): string | null {
  switch (kind) {
    case 'text':
    case 'code':
    case 'reason':
      if (typeof value === 'string' && value.length <= most) return null;
      return most === Infinity ? 'a string' : `a string of at most ${most} characters`;
    case 'number':
      return Number.isFinite(value) ? null : 'a finite number';
    case 'number or nil':
      return value === null || Number.isFinite(value) ? null : 'a finite number or nil';
    case 'count':
      return Number.isSafeInteger(value) && Number(value) >= 0 ? null : 'an integer from 0 to 2^53-1';
    case 'boolean':
      return typeof value === 'boolean' ? null : 'a boolean';
    case 'binary':
      return value instanceof Uint8Array ? null : 'binary';
    case 'map of binary':
      return describeMapFault(value, 'a map of binaries', (entry) => entry instanceof Uint8Array);
    case 'map of numbers':
      return describeMapFault(value, 'a map of finite numbers', Number.isFinite);
    case 'map':
    case 'parameters':
      return isMap(value) ? null : 'a map';
    case 'list':
      return Array.isArray(value) && value.every(isMap) ? null : 'a list of maps';
    case 'changes':
      return null;
  }
}

function describeMapFault(
  value: unknown,
  wanted: string,
  isRight: (entry: unknown) => boolean,
): string | null {
  if (!isMap(value) || value instanceof Uint8Array) return wanted;
  const other = Object.entries(value).find(([, entry]) => !isRight(entry));
  return other ? `${wanted}, and ${JSON.stringify(other[0].slice(0, 40))} is none` : null;
}
