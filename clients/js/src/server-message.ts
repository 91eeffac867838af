import {
  decodeMessage,
  dropReasons,
  FieldError,
  readFields,
  serverMessages,
  type ErrorMessage,
  type ServerMessage,
} from '@millrace/protocol';
import { knownError, MillraceError, type ReceivedError } from './errors.js';

/** A message of a server, of a type that this version knows. */
export type ReceivedMessage = Exclude<ServerMessage, ErrorMessage> | ReceivedError;

/** Maximum number of characters of an unexpected text that an error shows. */
const maxShownLength = 200;

/**
 * Decodes and checks one message of the server; nothing else trusts bytes from the wire.
 * @returns undefined for an unknown type, which is to be ignored.
 * @throws {MillraceError} protocol_error
 */
export function readServerMessage(data: unknown): ReceivedMessage | undefined {
  const values = decode(data);
  const { type } = values;
  if (!isKnown(type)) return undefined;
  try {
    const fields = readFields(serverMessages[type].fields, values);
    return withKnownCodes({ type, ...fields } as ReceivedMessage);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw violation(`the field ${error.field} of ${type} is invalid`);
  }
}

function isKnown(type: string): type is ReceivedMessage['type'] {
  return Object.hasOwn(serverMessages, type);
}

function decode(data: unknown): ReturnType<typeof decodeMessage> {
  if (typeof data === 'string') throw violation(`the text ${JSON.stringify(data.slice(0, maxShownLength))}`);
  if (!(data instanceof ArrayBuffer)) throw violation('a message that is not binary');
  try {
    return decodeMessage(new Uint8Array(data));
  } catch (cause) {
    throw violation(cause instanceof Error ? cause.message : String(cause));
  }
}

/** Replaces error codes and drop reasons that only a newer version has. */
function withKnownCodes(message: ReceivedMessage): ReceivedMessage {
  if (message.type === 'error') return { ...message, ...knownError(message.code, message.message) };
  if (message.type === 'dropped' && !dropReasons.includes(message.reason)) {
    return { ...message, reason: 'failed' };
  }
  return message;
}

function violation(what: string): MillraceError {
  return new MillraceError('protocol_error', {
    message: `The server sent an invalid millrace.v1 message: ${what}.`,
  });
}
