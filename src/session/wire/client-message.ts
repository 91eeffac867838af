import {
  clientMessages,
  decodeMessage,
  FieldError,
  readFields,
  type ClientMessage,
} from '@millrace/protocol';
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

/**
 * Decodes one message of a client and checks the types and ranges of its fields; unknown fields are ignored. The
 * pictures of a frame are views into `bytes`.
 * @throws {ProtocolError} invalid_message or unknown_message.
 */
export function parseClientMessage(bytes: Uint8Array): UncheckedMessage {
  try {
    const values = decodeMessage(bytes);
    const { type } = values;
    if (!isKnown(type)) throw unknown(type);
    const known = type === 'hello' ? { type, parameters: {} } : { type };
    return readFields(clientMessages[type].fields, values, '', known) as UncheckedMessage;
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const details = error instanceof FieldError ? { field: error.field } : {};
    throw new ProtocolError('invalid_message', asError(error).message, details);
  }
}

function isKnown(type: string): type is ClientMessage['type'] {
  return Object.hasOwn(clientMessages, type);
}

function unknown(type: string): ProtocolError {
  const shown = JSON.stringify(type.length > 40 ? `${type.slice(0, 40)}...` : type);
  return new ProtocolError('unknown_message', `unknown message type ${shown}`, { field: 'type' });
}
