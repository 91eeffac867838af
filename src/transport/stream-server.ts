import { errors, subprotocol, type ErrorCode } from '@millrace/protocol';
import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocket, WebSocketServer } from 'ws';
import type { Metrics } from '../metrics/metrics.js';
import type { Access } from '../session/access/access.js';
import type { Grant } from '../session/access/grant.js';
import { ProtocolError } from '../session/wire/protocol-error.js';
import type { Sessions } from '../session/sessions.js';
import { TokenBucket } from '../session/time/token-bucket.js';
import { AddressLimits, type AddressLimitsOptions } from './address-limits.js';
import { bearerToken } from './bearer.js';
import { errorBody, errorHeaders } from './http-error.js';
import { MessageBuffers } from './message-buffers.js';
import { originAllowed, type OriginRules } from './origin.js';
import { OriginLog } from './origin-log.js';
import { SocketConnection } from './socket-connection.js';

export interface StreamServerOptions {
  readonly http: Server;
  readonly sessions: Sessions;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly origins: OriginRules;
  /** Largest message in bytes. */
  readonly messageBytes: number;
  /** A client that sends more than this is read more slowly. */
  readonly messagesPerSecond: number;
  readonly addresses: AddressLimitsOptions;
  readonly access: Access;
  /** Milliseconds between pings; a peer that is silent from one to the next is gone. */
  readonly pingInterval: number;
}

/** Fragments of one message. */
const MAX_FRAGMENTS = 16_384;
/** How long a peer that sends too much is not read. */
const PAUSE_MS = 100;

/** `GET /v1/stream`: turns WebSocket upgrades into connections of sessions. */
export class StreamServer implements AsyncDisposable {
  readonly #options: StreamServerOptions;
  readonly #sockets: WebSocketServer;
  readonly #addresses: AddressLimits;
  readonly #buffers = new MessageBuffers();
  readonly #origins: OriginLog;
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    void this.#upgrade(request, socket, head).catch((cause: unknown) =>
      this.#decline(socket, 'internal', cause),
    );
  #closed: Promise<void> | null = null;

  constructor(options: StreamServerOptions) {
    this.#options = options;
    this.#origins = new OriginLog(options.log);
    this.#addresses = new AddressLimits(options.addresses);
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: options.messageBytes,
      maxFragments: MAX_FRAGMENTS,
      handleProtocols: () => subprotocol,
    });
    options.http.on('upgrade', this.#onUpgrade);
  }

  /** Ends all sessions as the server shuts down; settles when their connections are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    this.#options.http.off('upgrade', this.#onUpgrade);
    this.#options.sessions.close();
    const gone = [...this.#sockets.clients].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    await Promise.all(gone);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { access, log } = this.#options;
    socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
    const fault = this.#faultOf(request);
    if (fault === 'forbidden_origin') this.#origins.refused(request.headers);
    if (fault) return this.#decline(socket, fault);
    const leave = this.#addresses.enter(request.socket.remoteAddress ?? '');
    if (!leave) return this.#decline(socket, 'rate_limited');
    socket.once('close', leave);
    const { refusal } = this.#options.sessions;
    if (refusal) {
      this.#options.metrics.sessionRefused();
      return this.#decline(socket, refusal);
    }
    const token = bearerToken(request.headers.authorization);
    let grant: Grant | null = null;
    try {
      if (token !== undefined && access.required) grant = await access.verify(token);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#decline(socket, error.code, error.cause);
    }
    this.#sockets.handleUpgrade(request, socket, head, (client) =>
      this.#serve(client, socket, request.socket.remoteAddress, grant),
    );
  }

  /** What is wrong with the request itself. */
  #faultOf({ url, headers }: IncomingMessage): ErrorCode | null {
    const { origin, host, 'sec-websocket-protocol': offered = '' } = headers;
    if (url?.split('?')[0] !== '/v1/stream') return 'not_found';
    if (!originAllowed(origin, host, this.#options.origins)) return 'forbidden_origin';
    const protocols = offered.split(',').map((name) => name.trim());
    return protocols.includes(subprotocol) ? null : 'unsupported_protocol';
  }

  /** Answers an upgrade with a plain HTTP error. */
  #decline(socket: Duplex, code: ErrorCode, cause?: unknown): void {
    const { log, metrics, sessions } = this.#options;
    metrics.error(code);
    if (cause !== undefined) log.error({ code, err: cause }, errors[code].meaning);
    const body = JSON.stringify(errorBody(code));
    const { status } = errors[code];
    const headers = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'connection: close',
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      ...Object.entries(errorHeaders(status, sessions.retryAfter)).map(
        ([name, value]) => `${name}: ${value}`,
      ),
    ];
    // Sockets of an upgrade are nobody's any more: one that the peer leaves open would stay for as long as it likes.
    socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  }

  #serve(socket: WebSocket, wire: Duplex, address: string | undefined, grant: Grant | null): void {
    const { sessions, metrics, log, messagesPerSecond } = this.#options;
    socket.on('error', (error: Error & { readonly code?: string }) => {
      // ws closes the connection itself, with the fitting code.
      if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') metrics.error('message_too_large');
      log.debug({ err: error }, 'a connection failed');
    });
    socket.once('close', (code) => metrics.connectionClosed(code));
    const connection = new SocketConnection({ socket, wire, address, metrics, buffers: this.#buffers });
    const session = sessions.enter(connection, grant);
    if (!session) return;
    const bucket = new TokenBucket(messagesPerSecond);
    const stopPinging = this.#keepAlive(socket, () => session.close('idle_timeout'));
    socket.on('message', (data, isBinary) => {
      if (!isBinary || !Buffer.isBuffer(data)) return session.close('invalid_message');
      metrics.networkBytes('in', data.length);
      // Not copied: what ws hands out is never written again, and a picture is decoded soon.
      session.receive(data);
      if (bucket.take() || socket.readyState !== WebSocket.OPEN) return;
      socket.pause();
      setTimeout(() => socket.resume(), PAUSE_MS);
    });
    socket.once('close', (code) => {
      stopPinging();
      sessions.leave(session, code);
    });
  }

  /** Pings, and gives up a peer that has been silent from one ping to the next. @returns what stops it. */
  #keepAlive(socket: WebSocket, giveUp: () => void): () => void {
    let heard = true;
    const hear = (): void => void (heard = true);
    socket.on('pong', hear).on('ping', hear).on('message', hear);
    const timer = setInterval(() => {
      if (!heard) return giveUp();
      heard = false;
      socket.ping();
    }, this.#options.pingInterval);
    return () => clearInterval(timer);
  }
}
