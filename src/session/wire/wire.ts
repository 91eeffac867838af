import type { ServerMessage } from '@millrace/protocol';

/** The connection to one client, over any transport. */
export interface Wire {
  /** Sends a message, or does nothing if the connection is closing. Never throws. */
  send(message: ServerMessage): void;
  /** Closes with a WebSocket close code (RFC 6455 section 7.4) and a reason of at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Bytes that were sent but not yet taken by the network. */
  readonly bufferedBytes: number;
  /** IP address of the client, if known. */
  readonly address?: string | undefined;
}
