import type { ServerMessage } from '@millrace/protocol';
import type { Connection } from './connection.js';

/** A connection that remembers the last result that went through it, where operators may see it. */
export class WatchedConnection implements Connection {
  readonly #connection: Connection;
  readonly #keep: boolean;
  #picture: Uint8Array | null = null;

  /** @param keep whether pictures are remembered at all. */
  constructor(connection: Connection, keep: boolean) {
    this.#connection = connection;
    this.#keep = keep;
  }

  /** The last result, a JPEG. */
  get picture(): Uint8Array | null {
    return this.#picture;
  }

  get address(): string | undefined {
    return this.#connection.address;
  }

  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  send(message: ServerMessage): void {
    if (this.#keep && message.type === 'result') this.#picture = message.data;
    this.#connection.send(message);
  }

  close(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }
}
