import { encodeMessage, subprotocol, type ClientMessage, type HelloMessage } from '@millrace/protocol';
import type { CloseInfo } from './closing.js';
import { MillraceError } from './errors.js';
import { onRefusal } from './refusal.js';
import { readServerMessage, type ReceivedMessage } from './server-message.js';
import type { WebSocketConstructor, WebSocketLike } from './web-socket.js';

/** Receives what comes over a connection. */
export interface ConnectionHandlers {
  message(message: ReceivedMessage): void;
  /** The server broke the protocol; the connection closes. */
  violation(error: MillraceError): void;
  /** Called once, last. */
  closed(info: CloseInfo): void;
}

/** Handlers of a connection that nobody is interested in. */
const nobody: ConnectionHandlers = { message() {}, violation() {}, closed() {} };

/** One WebSocket as typed messages. */
export class Connection {
  readonly #socket: WebSocketLike;
  #handlers: ConnectionHandlers;
  readonly #waiting: ((handlers: ConnectionHandlers) => void)[] = [];
  #open = false;
  #refusal: MillraceError | undefined;
  /** Whether the runtime says why a server opens no WebSocket: `refusal` has it then. */
  readonly tellsRefusals: boolean;

  /**
   * Connects, and sends what `greeting` gives when the connection is open.
   * @throws {MillraceError} invalid_url, if the runtime does not connect to such an address.
   */
  constructor(
    url: URL,
    webSocket: WebSocketConstructor,
    greeting: () => HelloMessage,
    handlers: ConnectionHandlers,
  ) {
    this.#handlers = handlers;
    const socket = open(url, webSocket);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      this.#open = true;
      this.send(greeting());
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

  /** Why the server opened no WebSocket, where it said so. */
  get refusal(): MillraceError | undefined {
    return this.#refusal;
  }

  /** From now on what comes waits for `handOver`. */
  hold(): void {
    this.#handlers = {
      message: (message) => this.#waiting.push((handlers) => handlers.message(message)),
      violation: (error) => this.#waiting.push((handlers) => handlers.violation(error)),
      closed: (info) => this.#waiting.push((handlers) => handlers.closed(info)),
    };
  }

  /** From now on `handlers` get what comes, and first what has waited. */
  handOver(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    for (const tell of this.#waiting.splice(0)) tell(handlers);
  }

  /** Does nothing once the connection closes. */
  send(message: ClientMessage): void {
    if (this.#open) this.#socket.send(encodeMessage(message));
  }

  /** Starts the closing handshake; nothing is handed on any more but the close. */
  close(code = 1000, reason = ''): void {
    this.#open = false;
    this.#socket.close(code, reason);
  }

  /** Closes, and nothing is handed on any more. */
  leave(): void {
    this.#handlers = nobody;
    this.close();
  }

  /** Takes it for broken off: nobody answers. */
  abandon(): void {
    const handlers = this.#handlers;
    this.#handlers = nobody;
    // Should it get there after all, it does not end the session.
    this.close(4408, 'silent');
    handlers.closed({ code: 1006, reason: '' });
  }

  #end(info: CloseInfo): void {
    this.#open = false;
    this.#handlers.closed(info);
  }
}

/** Pages served over https, for one, may not connect to ws addresses. */
function open(url: URL, webSocket: WebSocketConstructor): WebSocketLike {
  try {
    return new webSocket(url.href, subprotocol);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MillraceError('invalid_url', {
      message: `No connection to ${url.href} is possible: ${why}`,
      cause,
    });
  }
}
