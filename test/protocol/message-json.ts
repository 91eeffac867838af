import type { ClientMessage, ServerMessage } from '@millrace/protocol';

/** Reads a message written as JSON, where `{"$hex": "..."}` stands for binary. */
export function messageFromJson(json: string): ClientMessage | ServerMessage {
  return JSON.parse(json, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('$hex' in value)) return value;
    return new Uint8Array(Buffer.from(String(value.$hex), 'hex'));
  }) as ClientMessage | ServerMessage;
}
