import { EventEmitter, once } from 'node:events';
import { decodeMessage, encodeMessage, subprotocol } from '@millrace/protocol';
import type { ClientMessage, HelloMessage, ServerMessage } from '@millrace/protocol';
import { WebSocket, type ClientOptions } from 'ws';

type Message<Type extends ServerMessage['type']> = Extract<ServerMessage, { readonly type: Type }>;

/** A client that speaks the protocol message by message, acknowledges results and keeps all that it received. */
export class StreamClient implements AsyncDisposable {
  readonly socket: WebSocket;
  readonly received: ServerMessage[] = [];
  readonly #arrivals = new EventEmitter();
  #framesSent = 0;
  #framesAllowed = 0;
  /** How the connection ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      const message = decodeMessage(new Uint8Array(data)) as unknown as ServerMessage;
      this.received.push(message);
      if (message.type === 'ready') this.#framesAllowed = message.credits;
      if (message.type === 'credit') this.#framesAllowed = message.total;
      if (message.type === 'result') this.send({ type: 'ack', sequence: message.sequence });
      this.#arrivals.emit('message');
    });
    // A close always follows.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    );
  }

  /** @throws {Error} if the server refuses the upgrade. */
  static async connect(url: string, options: ClientOptions = {}): Promise<StreamClient> {
    const client = new StreamClient(new WebSocket(url, subprotocol, options));
    await once(client.socket, 'open');
    return client;
  }

  /** Connects and opens a stream. */
  static async open(
    url: string,
    parameters: Extract<ClientMessage, { type: 'hello' }>['parameters'] = {},
  ): Promise<StreamClient> {
    return StreamClient.greet(url, { parameters });
  }

  /** Connects, says hello, and waits until the server is ready. */
  static async greet(url: string, hello: Omit<HelloMessage, 'type'>): Promise<StreamClient> {
    const client = await StreamClient.connect(url);
    client.send({ type: 'hello', ...hello });
    await client.until(() => {
      const [error] = client.all('error');
      if (error) throw new Error(`refused: ${error.message}`);
      return client.all('ready')[0];
    });
    return client;
  }

  send(message: ClientMessage): void {
    if (message.type === 'frame') this.#framesSent += 1;
    this.socket.send(encodeMessage(message));
  }

  /** Sends a frame as soon as there is a credit for it. */
  async sendFrame(id: number, data: Uint8Array): Promise<void> {
    await this.until(() => (this.#framesSent < this.#framesAllowed ? true : undefined));
    this.send({ type: 'frame', id, captured: id, data });
  }

  /** Sends a frame as soon as there is a credit for it, and waits for its result or drop. */
  async generate(id: number, data: Uint8Array): Promise<Message<'result'> | Message<'dropped'>> {
    await this.sendFrame(id, data);
    return this.answered(id);
  }

  /** Waits for the result or drop of a frame. */
  async answered(id: number): Promise<Message<'result'> | Message<'dropped'>> {
    const answer = await this.until(() =>
      this.received.find(
        (message) => (message.type === 'result' || message.type === 'dropped') && message.id === id,
      ),
    );
    return answer as Message<'result'> | Message<'dropped'>;
  }

  all<Type extends ServerMessage['type']>(type: Type): Message<Type>[] {
    return this.received.filter((message) => message.type === type) as Message<Type>[];
  }

  /** Waits for the first message of a type. */
  async first<Type extends ServerMessage['type']>(type: Type): Promise<Message<Type>> {
    return this.until(() => this.all(type)[0]);
  }

  /** Waits for the error with this code. */
  async error(code: Message<'error'>['code']): Promise<Message<'error'>> {
    return this.until(() => this.all('error').find((error) => error.code === code));
  }

  /** Calls `look` again at each message, until it finds something. */
  async until<Found>(look: () => Found | undefined): Promise<Found> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const ended = await Promise.race([once(this.#arrivals, 'message').then(() => null), this.closed]);
      if (ended && look() === undefined) {
        throw new Error(`the connection ended: ${ended.code} ${ended.reason}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}
