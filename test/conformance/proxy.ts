import { once } from 'node:events';
import type { ClientMessage, ServerMessage } from '@millrace/protocol';
import { decodeMessage, encodeMessage, subprotocol } from '@millrace/protocol';
import { WebSocket, WebSocketServer } from 'ws';
import { Signal } from './signal.js';

export type AnyMessage = { readonly type: string } & Readonly<Record<string, unknown>>;

/** One message as the client sent or received it, with its bytes before any change, in the order of the proxy. */
export interface Seen {
  readonly from: 'client' | 'server';
  readonly message: AnyMessage;
  readonly bytes: Uint8Array;
  /** Milliseconds on the clock of this process. */
  readonly time: number;
}

export interface ProxyOptions {
  /** Returns what the client gets instead of a message of the server, on its connection of that number from 0. */
  readonly toClient?: (message: AnyMessage, connection: number) => AnyMessage;
  /** Messages that the client gets before `ready`. */
  readonly beforeReady?: readonly AnyMessage[];
  /** Returns what the server gets instead of a message of the client. */
  readonly toServer?: (message: AnyMessage, connection: number) => AnyMessage;
}

/** Stands between a client and a live server: sees all, and may change, add and break. */
export class Proxy implements AsyncDisposable {
  readonly connections: ProxiedConnection[] = [];
  readonly url: string;
  readonly #server: WebSocketServer;
  readonly #changed = new Signal();

  private constructor(server: WebSocketServer, port: number) {
    this.#server = server;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(target: string, options: ProxyOptions = {}): Promise<Proxy> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('no port');
    const proxy = new Proxy(server, address.port);
    server.on('connection', (socket) => {
      proxy.connections.push(new ProxiedConnection(socket, target, options, proxy.connections.length));
      proxy.#changed.notify();
    });
    return proxy;
  }

  /** Waits for the client's connection of that number, from 0. */
  async connection(index: number): Promise<ProxiedConnection> {
    return this.#changed.until(`connection ${index} of the client`, () => this.connections[index]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.end()));
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One connection of the client, with its own connection to the server. */
export class ProxiedConnection {
  readonly seen: Seen[] = [];
  /** The close code of the client's side. */
  closeCode: number | undefined;
  /** Whether the client closed it. */
  closedByClient = false;
  readonly subprotocol: string;
  readonly #client: WebSocket;
  readonly #server: WebSocket;
  readonly #options: ProxyOptions;
  readonly #index: number;
  readonly #changed = new Signal();
  #held: Uint8Array[] | undefined;
  #silent = false;
  #ending = false;

  constructor(client: WebSocket, target: string, options: ProxyOptions, index: number) {
    this.#index = index;
    this.#client = client;
    this.#options = options;
    this.subprotocol = client.protocol;
    const url = new URL('/v1/stream', target.replace(/^http/, 'ws'));
    const server = new WebSocket(url, subprotocol, { perMessageDeflate: false });
    this.#server = server;
    const opened = once(server, 'open');
    opened.catch(() => client.close(1014));
    client.on('message', (data: Buffer, binary) => {
      if (this.#silent) return;
      const bytes = this.#note('client', data, binary);
      void opened.then(() => server.readyState === WebSocket.OPEN && server.send(bytes));
    });
    server.on('message', (data: Buffer, binary) => {
      if (this.#silent) return;
      const bytes = this.#note('server', data, binary);
      if (this.#held !== undefined && this.seen.at(-1)?.message.type === 'result') this.#held.push(bytes);
      else if (client.readyState === WebSocket.OPEN) client.send(bytes);
    });
    client.on('error', () => {});
    server.on('error', () => {});
    client.on('close', (code) => {
      this.closeCode = code;
      this.closedByClient = server.readyState === WebSocket.OPEN;
      if (this.#ending) return;
      if (code === 1006 || this.#silent) server.terminate();
      else if (this.closedByClient) server.close(code === 1005 ? undefined : code);
      this.#changed.notify();
    });
    server.on('close', (code, reason) => {
      if (code === 1006) client.terminate();
      else client.close(code === 1005 ? undefined : code, reason);
    });
  }

  /** Returns the messages of one side of that type, with typed fields. */
  fromClient<Type extends ClientMessage['type']>(
    type: Type,
  ): readonly Extract<ClientMessage, { type: Type }>[] {
    return this.#all('client', type) as never;
  }

  fromServer<Type extends ServerMessage['type']>(
    type: Type,
  ): readonly Extract<ServerMessage, { type: Type }>[] {
    return this.#all('server', type) as never;
  }

  /** Waits until `find` returns something; it is called at each message. */
  async until<Value>(what: string, find: () => Value | undefined): Promise<Value> {
    return this.#changed.until(what, find);
  }

  /** Waits until the client's side is closed. */
  async closed(): Promise<number> {
    return this.until('the connection to be closed', () => this.closeCode);
  }

  /** Sends a message to the client as if it came from the server. */
  inject(given: AnyMessage | Uint8Array): void {
    const bytes = given instanceof Uint8Array ? given : encodeMessage(given as never);
    this.seen.push({ from: 'server', message: decodeMessage(bytes), bytes, time: performance.now() });
    this.#client.send(bytes);
  }

  /** Holds results back until `releaseResults`. */
  holdResults(): void {
    this.#held = [];
  }

  releaseResults(): void {
    for (const bytes of this.#held ?? []) this.#client.send(bytes);
    this.#held = undefined;
  }

  /** Drops all messages from now on, in both directions, without closing. */
  fallSilent(): void {
    this.#silent = true;
  }

  /** Closes the client's side as the server would. */
  close(code: number): void {
    this.#client.close(code);
    // For the server the session has ended.
    this.#server.close(1000);
  }

  /** Cuts both sides, without a closing handshake. */
  cut(): void {
    this.#client.terminate();
    this.#server.terminate();
  }

  /** Ends the session, so that its slot on the server is free for the next, and cuts the client's side. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#client.terminate();
    if (this.#server.readyState === WebSocket.OPEN) {
      this.#server.close(1000);
      await once(this.#server, 'close');
    }
    this.#server.terminate();
  }

  #all(from: Seen['from'], type: string): readonly AnyMessage[] {
    return this.seen
      .filter((seen) => seen.from === from && seen.message.type === type)
      .map((seen) => seen.message);
  }

  #note(from: Seen['from'], data: Buffer, binary: boolean): Uint8Array {
    if (!binary) throw new Error(`the ${from} sent a text message`);
    const original = new Uint8Array(data);
    const change = from === 'client' ? this.#options.toServer : this.#options.toClient;
    const message = decodeMessage(original);
    if (message.type === 'ready') for (const extra of this.#options.beforeReady ?? []) this.inject(extra);
    const changed = change?.(message, this.#index) ?? message;
    const bytes = changed === message ? original : encodeMessage(changed as never);
    // As the client sent or received it.
    const shown = from === 'client' ? message : changed;
    this.seen.push({ from, message: shown, bytes: original, time: performance.now() });
    this.#changed.notify();
    return bytes;
  }
}
