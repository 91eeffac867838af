import { decodeMessage, dropReasons, type ErrorMessage, type ServerMessage } from '@millrace/protocol';
import { knownError, MillraceError, type ReceivedError } from './errors.js';

/** A message of a server, of a type that this version knows. */
export type ReceivedMessage = Exclude<ServerMessage, ErrorMessage> | ReceivedError;

/** Maximum number of characters of an unexpected text that an error shows. */
const maxShownLength = 200;

/** Returns whether a field's value is valid in the protocol. */
type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => Number.isFinite(value);
const isBoolean: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isBytes: Check = (value) => value instanceof Uint8Array;
const isMap: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const hasCounts =
  (...names: readonly string[]): Check =>
  (value) =>
    isMap(value) && names.every((name) => isCount((value as Record<string, unknown>)[name]));
const isLimits = hasCounts('message_bytes', 'frame_pixels', 'unacknowledged_results');
const isTimes: Check = (value) => isMap(value) && isNumber((value as Record<string, unknown>)['sent']);
/** The checks of fields that may be absent. */
const optionalChecks = new Set<Check>();

/** Returns the check of a field that may be absent; nil means the same (PROTOCOL.md section 2). */
function optional(check: Check): Check {
  const absentOr: Check = (value) => value === undefined || value === null || check(value);
  optionalChecks.add(absentOr);
  return absentOr;
}

/** The fields of each message that this package uses; parameters and timings are checked only for being maps. */
const shapes: Readonly<Record<ReceivedMessage['type'], Shape>> = {
  queued: { position: isCount, wait_seconds: isNumber },
  ready: {
    protocol: isText,
    session: isText,
    resumed: isBoolean,
    server: isText,
    model: isText,
    parameters: isMap,
    credits: isCount,
    limits: isLimits,
    token_expires: optional(isNumber),
  },
  credit: { total: isCount },
  result: {
    id: isCount,
    sequence: isCount,
    captured: isNumber,
    width: isCount,
    height: isCount,
    timings: isMap,
    times: isTimes,
    data: isBytes,
  },
  dropped: { id: isCount, reason: isText },
  updated: { request: isCount, from: isCount, parameters: isMap },
  quality: { fps: (value) => value === null || isNumber(value) },
  pong: { sent: isNumber, received: isNumber },
  authenticated: { expires_seconds: optional(isNumber), limits: optional(isLimits) },
  checkpoint: { token: isText },
  drain: { deadline_seconds: isNumber, token: optional(isText) },
  error: {
    code: isText,
    message: isText,
    request: optional(isCount),
    id: optional(isCount),
    field: optional(isText),
  },
};

/**
 * Decodes and checks one message of the server; nothing else trusts bytes from the wire.
 * @returns undefined for an unknown type, which is to be ignored.
 * @throws {MillraceError} protocol_error
 */
export function readServerMessage(data: unknown): ReceivedMessage | undefined {
  const fields = decode(data);
  if (!isKnownType(fields.type)) return undefined;
  const shape = shapes[fields.type];
  for (const [name, check] of Object.entries(shape)) {
    if (!check(fields[name])) throw violation(`the field ${name} of ${fields.type} is invalid`);
  }
  const present = Object.entries(fields).filter(
    ([name, value]) => value !== null || !mayBeAbsent(shape[name]),
  );
  return withKnownCodes(Object.fromEntries(present) as unknown as ReceivedMessage);
}

function mayBeAbsent(check: Check | undefined): boolean {
  return check !== undefined && optionalChecks.has(check);
}

function isKnownType(type: string): type is ReceivedMessage['type'] {
  return Object.hasOwn(shapes, type);
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
