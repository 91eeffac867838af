import { encodeMessage, subprotocol, type ClientMessage, type HelloMessage } from '@millrace/protocol';
import type { CloseInfo } from './closing.js';
import { MillraceError } from './errors.js';
import { onRefusal } from './refusal.js';
import { readServerMessage, type ReceivedMessage } from './server-message.js';
import type { WebSocketConstructor, WebSocketLike } from './web-socket.js';

/** Receives the messages of a connection. */
export interface ConnectionHandlers {
  message(message: ReceivedMessage): void;
  /** Called if the server violated the protocol; the connection closes. */
  violation(error: MillraceError): void;
  /** Called once, last. */
  closed(info: CloseInfo): void;
}

/** Handlers of a connection that is no longer in use. */
const noHandlers: ConnectionHandlers = { message() {}, violation() {}, closed() {} };

/** One WebSocket as typed messages. */
export class Connection {
  readonly #socket: WebSocketLike;
  #handlers: ConnectionHandlers;
  readonly #waiting: ((handlers: ConnectionHandlers) => void)[] = [];
  #open = false;
  #refusal: MillraceError | undefined;
  /** Whether the runtime reports why a server refuses a WebSocket; `refusal` then has the reason. */
  readonly tellsRefusals: boolean;

  /**
   * Connects, and sends the message that `greeting` returns when the connection is open.
   * @throws {MillraceError} invalid_url, if the runtime refuses the address.
   */
  constructor(
    url: URL,
    webSocket: WebSocketConstructor,
    greeting: () => Promise<HelloMessage>,
    handlers: ConnectionHandlers,
  ) {
    this.#handlers = handlers;
    const socket = open(url, webSocket);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      this.#open = true;
      void greeting().then((hello) => this.send(hello));
    });
    socket.addEventListener('message', (event) => {
      if (!this.#open) return;
      try {
        const message = readServerMessage(event.data);
        if (message !== undefined) this.#handlers.message(message);
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        this.close(4400, 'protocol_error');
        this.#handlers.violation(error);
      }
    });
    // A close event always follows.
    let problem: string | undefined;
    socket.addEventListener('error', (event) => {
      if ('message' in event && typeof event.message === 'string') problem = event.message;
    });
    this.tellsRefusals = onRefusal(socket, (error) => (this.#refusal = error));
    socket.addEventListener('close', ({ code, reason }) =>
      this.#end({ code, reason, ...(problem !== undefined && { problem }) }),
    );
    this.#socket = socket;
  }

  /** Why the server refused the WebSocket; undefined if it gave no reason. */
  get refusal(): MillraceError | undefined {
    return this.#refusal;
  }

  /** Keeps everything that arrives until `handOver`. */
  hold(): void {
    this.#handlers = {
      message: (message) => this.#waiting.push((handlers) => handlers.message(message)),
      violation: (error) => this.#waiting.push((handlers) => handlers.violation(error)),
      closed: (info) => this.#waiting.push((handlers) => handlers.closed(info)),
    };
  }

  /** Passes `handlers` everything that has been kept, and then everything that arrives. */
  handOver(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    for (const deliver of this.#waiting.splice(0)) deliver(handlers);
  }

  /** Sends a message; does nothing once the connection is closing. */
  send(message: ClientMessage): void {
    if (this.#open) this.#socket.send(encodeMessage(message));
  }

  /** Starts the closing handshake; of the handlers, only `closed` is still called. */
  close(code = 1000, reason = ''): void {
    this.#open = false;
    this.#socket.close(code, reason);
  }

  /** Closes, and calls no handler any more. */
  leave(): void {
    this.#handlers = noHandlers;
    this.close();
  }

  /** Treats the connection as broken, because the server no longer answers. */
  abandon(): void {
    const handlers = this.#handlers;
    this.#handlers = noHandlers;
    // This code does not end the session, should the close frame arrive after all.
    this.close(4408, 'silent');
    handlers.closed({ code: 1006, reason: '' });
  }

  #end(info: CloseInfo): void {
    this.#open = false;
    this.#handlers.closed(info);
  }
}

/** @throws {MillraceError} invalid_url; pages served over https, for example, may not connect to ws addresses. */
function open(url: URL, webSocket: WebSocketConstructor): WebSocketLike {
  try {
    return new webSocket(url.href, subprotocol);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError('invalid_url', {
      message: `Cannot connect to ${url.href}: ${why}`,
      cause,
    });
  }
}
