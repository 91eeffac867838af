import { decodeMessage, textLimits, type ClientMessage } from '@millrace/protocol';
import { asError } from '../../engine/as-error.js';
import { ProtocolError } from './protocol-error.js';

/** A client message with unchecked `parameters`. */
export type UncheckedMessage = {
  [Type in ClientMessage['type']]: Unchecked<Extract<ClientMessage, { readonly type: Type }>>;
}[ClientMessage['type']];

export type Message<Type extends UncheckedMessage['type']> = Extract<
  UncheckedMessage,
  { readonly type: Type }
>;

type Unchecked<Message> = Message extends { readonly parameters?: unknown }
  ? Omit<Message, 'parameters'> & { readonly parameters: unknown }
  : Message;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Decodes one message of a client and checks the types and ranges of its fields; unknown fields are ignored. `data` of
 * a frame is a view into `bytes`.
 * @throws {ProtocolError} invalid_message or unknown_message.
 */
export function parseClientMessage(bytes: Uint8Array): UncheckedMessage {
  const fields = decode(bytes);
  switch (fields.type) {
    case 'hello': {
      const client = optional(fields, 'client', (name) => text(fields, name, textLimits.client));
      const token = optional(fields, 'token', (name) => text(fields, name, textLimits.token));
      const resume = optional(fields, 'resume', (name) => text(fields, name, textLimits.resume));
      const sent = optional(fields, 'sent', (name) => number(fields, name));
      return {
        type: 'hello',
        parameters: fields['parameters'] ?? {},
        ...(client !== undefined && { client }),
        ...(token !== undefined && { token }),
        ...(resume !== undefined && { resume }),
        ...(sent !== undefined && { sent }),
      };
    }
    case 'frame':
      return {
        type: 'frame',
        id: count(fields, 'id'),
        captured: number(fields, 'captured'),
        data: binary(fields, 'data'),
      };
    case 'update':
      return { type: 'update', request: count(fields, 'request'), parameters: fields['parameters'] };
    case 'ack':
      return { type: 'ack', sequence: count(fields, 'sequence') };
    case 'ping': {
      const offset = optional(fields, 'offset', (name) => number(fields, name));
      return { type: 'ping', sent: number(fields, 'sent'), ...(offset !== undefined && { offset }) };
    }
    case 'authenticate':
      return { type: 'authenticate', token: text(fields, 'token', textLimits.token) };
    default:
      throw new ProtocolError('unknown_message', `unknown message type ${quote(fields.type)}`, {
        field: 'type',
      });
  }
}

function decode(bytes: Uint8Array): Fields & { readonly type: string } {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    throw new ProtocolError('invalid_message', asError(error).message);
  }
}

/** Reads a field that may be absent or, which means the same, nil (PROTOCOL.md section 2). */
function optional<Value>(fields: Fields, name: string, read: (name: string) => Value): Value | undefined {
  return fields[name] === undefined || fields[name] === null ? undefined : read(name);
}

function number(fields: Fields, name: string): number {
  const value = fields[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : refuse(name, 'a finite number');
}

function count(fields: Fields, name: string): number {
  const value = fields[name];
  const fits = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
  return fits ? value : refuse(name, 'an integer from 0 to 2^53-1');
}

function text(fields: Fields, name: string, length: number): string {
  const value = fields[name];
  const fits = typeof value === 'string' && value.length <= length;
  return fits ? value : refuse(name, `a string of at most ${length} characters`);
}

function binary(fields: Fields, name: string): Uint8Array {
  const value = fields[name];
  return value instanceof Uint8Array ? value : refuse(name, 'binary');
}

function refuse(field: string, wanted: string): never {
  throw new ProtocolError('invalid_message', `${field} must be ${wanted}`, { field });
}

function quote(type: string): string {
  return JSON.stringify(type.length > 40 ? `${type.slice(0, 40)}...` : type);
}
