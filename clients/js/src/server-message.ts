import {
  decodeMessage,
  dropReasons,
  isErrorCode,
  type DropReason,
  type ServerMessage,
  type StageTimings,
  type StreamParameters,
} from '@millrace/protocol';
import { MillraceError } from './errors.js';

/**
 * Reads one message of the server: what came over the wire becomes a typed value here and nowhere else.
 * Parameters and timings are the server's to define; of them only the outer form is checked.
 * @returns undefined for a type that this version does not know, which is to be ignored.
 * @throws {MillraceError} protocol_error
 */
export function readServerMessage(data: unknown): ServerMessage | undefined {
  if (!(data instanceof ArrayBuffer)) throw violation('a text message');
  let fields: Fields;
  try {
    fields = new Fields(decodeMessage(new Uint8Array(data)));
  } catch (cause) {
    throw new MillraceError('protocol_error', { cause });
  }
  switch (fields.type) {
    case 'ready': {
      const limits = fields.map('limits');
      return {
        type: 'ready',
        session: fields.string('session'),
        server: fields.string('server'),
        model: fields.string('model'),
        parameters: fields.map('parameters').all() as unknown as StreamParameters,
        credits: fields.count('credits'),
        limits: {
          message_bytes: limits.count('message_bytes'),
          frame_pixels: limits.count('frame_pixels'),
          unacknowledged_results: limits.count('unacknowledged_results'),
        },
      };
    }
    case 'credit':
      return { type: 'credit', total: fields.count('total') };
    case 'result':
      return {
        type: 'result',
        id: fields.count('id'),
        sequence: fields.count('sequence'),
        captured: fields.number('captured'),
        width: fields.count('width'),
        height: fields.count('height'),
        timings: fields.map('timings').all() as unknown as StageTimings,
        data: fields.bytes('data'),
      };
    case 'dropped':
      return { type: 'dropped', id: fields.count('id'), reason: fields.dropReason('reason') };
    case 'updated':
      return {
        type: 'updated',
        request: fields.count('request'),
        from: fields.count('from'),
        parameters: fields.map('parameters').all() as unknown as StreamParameters,
      };
    case 'error': {
      const code = fields.string('code');
      const request = fields.optional('request', (name) => fields.count(name));
      const id = fields.optional('id', (name) => fields.count(name));
      const field = fields.optional('field', (name) => fields.string(name));
      return {
        type: 'error',
        // A newer server may know further codes; what they have in common is that something went wrong there.
        code: isErrorCode(code) ? code : 'internal',
        message: fields.string('message'),
        ...(request !== undefined && { request }),
        ...(id !== undefined && { id }),
        ...(field !== undefined && { field }),
      };
    }
    default:
      return undefined;
  }
}

function violation(what: string): MillraceError {
  return new MillraceError('protocol_error', {
    message: `The server sent something that is not millrace.v1: ${what}.`,
  });
}

/** A decoded map whose fields are read with their types checked. */
class Fields {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(values: Readonly<Record<string, unknown>>, path = '') {
    this.#values = values;
    this.#path = path;
  }

  get type(): string {
    return this.string('type');
  }

  string(name: string): string {
    const value = this.#values[name];
    return typeof value === 'string' ? value : this.#reject(name);
  }

  number(name: string): number {
    const value = this.#values[name];
    return typeof value === 'number' ? value : this.#reject(name);
  }

  /** A whole number from 0 to 2^53-1. */
  count(name: string): number {
    const value = this.number(name);
    return Number.isSafeInteger(value) && value >= 0 ? value : this.#reject(name);
  }

  bytes(name: string): Uint8Array {
    const value = this.#values[name];
    return value instanceof Uint8Array ? value : this.#reject(name);
  }

  /** A reason that only a newer server knows is `failed`: the frame has no result all the same. */
  dropReason(name: string): DropReason {
    const value = this.string(name);
    return dropReasons.find((reason) => reason === value) ?? 'failed';
  }

  map(name: string): Fields {
    const value = this.#values[name];
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.#reject(name);
    return new Fields(value as Record<string, unknown>, `${this.#path}${name}.`);
  }

  optional<Value>(name: string, read: (name: string) => Value): Value | undefined {
    return this.#values[name] === undefined ? undefined : read(name);
  }

  /** The map as it is, for forms that the server defines. */
  all(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  #reject(name: string): never {
    throw violation(`the field ${this.#path}${name} is wrong`);
  }
}
