import type { ClientMessage, ServerMessage } from '@millrace/protocol';
import type { FastifyInstance } from 'fastify';

/**
 * The protocol of another program, spoken for its clients. Each of its WebSockets is a connection like any other: a
 * conversation puts what the client says into messages of our protocol, and what the session answers into the client's.
 */
export interface Program {
  /** Returns whether its WebSocket is at this path. */
  serves(path: string): boolean;
  /** Begins the conversation with a client that has connected. */
  begin(side: ClientSide): Conversation;
  /** Adds its HTTP endpoints, if it has any. */
  addRoutes?(server: FastifyInstance): void;
}

/** The close code for a client whose values were refused (RFC 6455 section 7.4.1). */
export const policyClose = 1008;

/** What a conversation can do. */
export interface ClientSide {
  /** The address that the client connected to. */
  readonly url: URL;
  /** Sends text or bytes to the client. @param done called when the network has taken them, or the client is gone. */
  write(data: string | Uint8Array, done?: () => void): void;
  /** Sends a message of our protocol to the session, in the client's name. */
  tell(message: ClientMessage): void;
  /** Closes with a WebSocket close code (RFC 6455 section 7.4). */
  close(code: number, reason: string): void;
}

/** Both directions of one connection. */
export interface Conversation {
  /** Handles that messages can be sent from now on. */
  opened(): void;
  /**
   * Handles a message of the client.
   * @throws {ProtocolError} if it is invalid; the client then gets an error, as if the session had sent it.
   */
  fromClient(data: Buffer, isBinary: boolean): void;
  /** Handles a message of the session. */
  fromServer(message: ServerMessage): void;
  /** Handles that the connection has ended. */
  ended(): void;
}
