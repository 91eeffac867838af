import { once } from 'node:events';
import { decodeMessage, defaultParameters, encodeMessage } from '@millrace/protocol';
import type {
  ClientMessage,
  HelloMessage,
  ReadyMessage,
  ResultMessage,
  ServerMessage,
} from '@millrace/protocol';
import { connect, type ConnectOptions, type MillraceStream, type StreamEvents } from '@millrace/client';
import { WebSocket, WebSocketServer } from 'ws';

/** A ready message as a server would send it. */
export const readyMessage: ReadyMessage = {
  type: 'ready',
  protocol: '1.0',
  resumed: false,
  session: 'session-1',
  server: 'test/1',
  model: 'test-model',
  parameters: defaultParameters(),
  credits: 2,
  limits: {
    message_bytes: 1_000_000,
    frame_pixels: 1_000_000,
    unacknowledged_results: 2,
    updates_per_second: 60,
  },
};

const timings = { decode: 1, queue: 2, encode: 3, denoise: 4, vae_decode: 5, image_encode: 6, total: 21 };
const times = { received: 1, decoded: 2, queued: 3, encoded: 4, denoised: 5, vae_decoded: 6, sent: 7 };

/** Returns a result as a server would send it, for input frame `id`. */
export function result(sequence: number, fields: Partial<ResultMessage> = {}): ResultMessage {
  return {
    type: 'result',
    id: sequence - 1,
    sequence,
    captured: 0,
    width: 8,
    height: 8,
    timings,
    times,
    data: Uint8Array.of(sequence),
    ...fields,
  };
}

/** A real WebSocket server on a free port; the test writes all of its messages. */
export class ProtocolServer implements AsyncDisposable {
  readonly #server: WebSocketServer;
  readonly url: string;

  private constructor(server: WebSocketServer, port: number) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${port}/v1/stream`;
  }

  static async start(): Promise<ProtocolServer> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('no port');
    return new ProtocolServer(server, address.port);
  }

  /** Waits for the next connection. */
  accept(): Promise<Peer> {
    return new Promise((resolve) => {
      this.#server.once('connection', (socket, request) => resolve(new Peer(socket, request.url)));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The server's side of one connection. */
export class Peer {
  readonly path: string | undefined;
  readonly subprotocol: string;
  /** Code with which the connection ended. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #messages: ClientMessage[] = [];
  #arrived: () => void = () => {};

  constructor(socket: WebSocket, path: string | undefined) {
    this.#socket = socket;
    this.path = path;
    this.subprotocol = socket.protocol;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('message', (data: Buffer) => {
      this.#messages.push(decodeMessage(data) as unknown as ClientMessage);
      this.#arrived();
    });
  }

  /**
   * Waits for the next message. Only pings are skipped, which come at any time, so this also shows that nothing else
   * was sent before it.
   */
  async receive<Type extends ClientMessage['type']>(
    type: Type,
  ): Promise<Extract<ClientMessage, { type: Type }>> {
    let message = await this.#next();
    while (message?.type === 'ping' && message.type !== type) message = await this.#next();
    if (message?.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`);
    return message as Extract<ClientMessage, { type: Type }>;
  }

  async #next(): Promise<ClientMessage | undefined> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#messages.shift();
  }

  send(...messages: readonly ServerMessage[]): void {
    for (const message of messages) this.#socket.send(encodeMessage(message));
  }

  sendRaw(data: string | Uint8Array): void {
    this.#socket.send(data);
  }

  /** Resolves once the client has received everything that was sent. */
  async flushed(): Promise<void> {
    const answered = once(this.#socket, 'pong');
    this.#socket.ping();
    await answered;
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  /** Breaks the connection without a close frame. */
  terminate(): void {
    this.#socket.terminate();
  }

  async greet(ready: Partial<ReadyMessage> = {}): Promise<HelloMessage> {
    const hello = await this.receive('hello');
    this.send({ ...readyMessage, ...ready });
    return hello;
  }
}

export interface OpenStream extends AsyncDisposable {
  readonly stream: MillraceStream;
  readonly peer: Peer;
  readonly server: ProtocolServer;
}

/** Returns a server and a ready stream, which does not reconnect unless `options` say so. */
export async function openStream(
  ready: Partial<ReadyMessage> = {},
  options: ConnectOptions = {},
): Promise<OpenStream> {
  const server = await ProtocolServer.start();
  const accepted = server.accept().then(async (peer) => {
    await peer.greet(ready);
    return peer;
  });
  const stream = await connect(server.url, { webSocket: WebSocket, reconnectSeconds: 0, ...options });
  return {
    stream,
    server,
    peer: await accepted,
    async [Symbol.asyncDispose]() {
      // A stream that cannot close, for example because the test broke its connection, ends with the server.
      void stream.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Waits for the next event of this name that `wanted` accepts. */
export function nextEvent<Name extends keyof StreamEvents>(
  stream: MillraceStream,
  name: Name,
  wanted: (value: StreamEvents[Name]) => boolean = () => true,
): Promise<StreamEvents[Name]> {
  return new Promise((resolve) => {
    const off = stream.on(name, (value) => {
      if (!wanted(value)) return;
      off();
      resolve(value);
    });
  });
}
