import { encodeMessage, type ServerMessage } from '@millrace/protocol';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Metrics } from '../metrics/metrics.js';
import type { Wire } from '../session/wire/wire.js';
import type { MessageBuffers } from './message-buffers.js';

/** How long a peer may take to answer a close frame. */
const closeMs = 2000;

export interface SocketWireOptions {
  readonly socket: WebSocket;
  /** What the socket writes to. */
  readonly network: Duplex;
  readonly address: string | undefined;
  readonly metrics: Pick<Metrics, 'networkBytes'>;
  readonly buffers: MessageBuffers;
  /** Returns whether no other WebSocket is open, idle ones included. */
  readonly isAlone: () => boolean;
}

/** Carries a connection's messages over a WebSocket. */
export class SocketWire implements Wire {
  readonly #options: SocketWireOptions;
  #gathering = false;

  constructor(options: SocketWireOptions) {
    this.#options = options;
  }

  get address(): string | undefined {
    return this.#options.address;
  }

  get bufferedBytes(): number {
    return this.#options.socket.bufferedAmount;
  }

  send(message: ServerMessage): void {
    const { socket, buffers, isAlone } = this.#options;
    if (socket.readyState !== WebSocket.OPEN) return;
    let lent: Uint8Array<ArrayBuffer> | undefined;
    const data = encodeMessage(message, (bytes) => (lent = buffers.take(bytes)));
    // The credit of a lone client does not wait for the result that may follow it: meanwhile, the client sends the next
    // frame, and the server is not idle. Of several clients, another has usually sent one, and a system call is saved.
    const canWait = message.type !== 'credit' || !isAlone();
    this.#write(data, canWait, () => {
      if (lent) buffers.give(lent);
    });
  }

  /**
   * Sends a message of any protocol, as text or binary.
   * @param done called when the network has taken it, or the connection is lost.
   */
  write(data: string | Uint8Array, done: () => void = () => {}): void {
    this.#write(data, true, done);
  }

  #write(data: string | Uint8Array, canWait: boolean, done: () => void): void {
    const { socket, metrics } = this.#options;
    if (socket.readyState !== WebSocket.OPEN) return done();
    if (canWait) this.#gather();
    metrics.networkBytes('out', Buffer.byteLength(data));
    socket.send(data, { binary: typeof data !== 'string' }, done);
  }

  close(code: number, reason: string): void {
    const { socket } = this.#options;
    socket.close(code, reason);
    setTimeout(() => socket.terminate(), closeMs).unref();
  }

  /** Combines messages that are sent together into one system call. */
  #gather(): void {
    if (this.#gathering) return;
    const { network } = this.#options;
    this.#gathering = true;
    network.cork();
    process.nextTick(() => {
      this.#gathering = false;
      network.uncork();
    });
  }
}
