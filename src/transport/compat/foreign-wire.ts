import { encodeMessage, errors, type ClientMessage, type ServerMessage } from '@millrace/protocol';
import type { Metrics } from '../../metrics/metrics.js';
import type { ClientConnection } from '../../session/connection/client-connection.js';
import { ProtocolError } from '../../session/wire/protocol-error.js';
import type { Wire } from '../../session/wire/wire.js';
import type { SocketWire } from '../socket-wire.js';
import type { Conversation, Program } from './program.js';

export interface ForeignWireOptions {
  readonly wire: SocketWire;
  readonly program: Program;
  /** The address that the client connected to. */
  readonly url: URL;
  readonly metrics: Pick<Metrics, 'error'>;
}

/** The connection that the conversation speaks for. */
type Client = Pick<ClientConnection, 'receive' | 'mayReceive' | 'close'>;

/** Carries a connection's messages in the protocol of another program. */
export class ForeignWire implements Wire {
  readonly #wire: SocketWire;
  readonly #metrics: ForeignWireOptions['metrics'];
  readonly #conversation: Conversation;
  #connection: Client | null = null;

  constructor({ wire, program, url, metrics }: ForeignWireOptions) {
    this.#wire = wire;
    this.#metrics = metrics;
    this.#conversation = program.begin({
      url,
      write: (data, done) => wire.write(data, done),
      tell: (message) => this.#tell(message),
      close: (code, reason) => wire.close(code, reason),
    });
  }

  get address(): string | undefined {
    return this.#wire.address;
  }

  get bufferedBytes(): number {
    return this.#wire.bufferedBytes;
  }

  send(message: ServerMessage): void {
    this.#conversation.fromServer(message);
  }

  close(code: number, reason: string): void {
    this.#wire.close(code, reason);
  }

  /** Begins to talk for the client. */
  connect(connection: Client): void {
    this.#connection = connection;
    this.#conversation.opened();
  }

  /** Handles a message of the client. */
  receive(data: Buffer, isBinary: boolean): void {
    // What is answered here never reaches the connection, which would notice a client that reads nothing.
    if (!this.#connection?.mayReceive()) return;
    try {
      this.#conversation.fromClient(data, isBinary);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Ends the conversation: the connection has closed. */
  end(): void {
    this.#connection = null;
    this.#conversation.ended();
  }

  /** Sends a message to the session, after what the session is doing now: it may be sending the cause of it. */
  #tell(message: ClientMessage): void {
    queueMicrotask(() => this.#connection?.receive(encodeMessage(message)));
  }

  #refuse(error: unknown): void {
    if (!(error instanceof ProtocolError)) return this.#connection?.close('internal');
    const { code, message, details } = error;
    if (code === 'invalid_message') return this.#connection?.close(code, message);
    this.#metrics.error(code);
    this.send({ type: 'error', code, message: message || errors[code].meaning, ...details });
  }
}
