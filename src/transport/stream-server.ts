import { errors, subprotocol } from '@millrace/protocol';
import type { IncomingMessage, Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Metrics } from '../metrics/metrics.js';
import type { Access } from '../session/access/access.js';
import type { Grant } from '../session/access/grant.js';
import { ProtocolError } from '../session/wire/protocol-error.js';
import type { Wire } from '../session/wire/wire.js';
import type { Connections } from '../session/connection/connections.js';
import { AddressLimits, type AddressLimitsOptions } from './address-limits.js';
import { bearerToken } from './bearer.js';
import { ForeignWire } from './compat/foreign-wire.js';
import type { Program } from './compat/program.js';
import type { ConnectionGuard } from './connection-guard.js';
import { FrameRateLimit } from './frame-rate-limit.js';
import { MessageBuffers } from './message-buffers.js';
import type { OriginRules } from './origin.js';
import type { OriginLog } from './origin-log.js';
import { answerRaw, type RawAnswer } from './raw-answer.js';
import { SocketWire } from './socket-wire.js';
import { upgradeFault } from './upgrade-fault.js';

export interface StreamServerOptions {
  readonly http: Server;
  readonly connections: Connections;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly origins: OriginRules;
  readonly originLog: OriginLog;
  /** Largest message in bytes. */
  readonly messageBytes: number;
  /** A client that sends more than this is read more slowly; one that sends far more is disconnected. */
  readonly messagesPerSecond: number;
  readonly guard: ConnectionGuard;
  readonly addresses: AddressLimitsOptions;
  readonly access: Access;
  /** Protocols of other programs that are spoken besides our own; none by default. */
  readonly programs?: readonly Program[];
  /** Milliseconds between pings; a peer that is silent from one to the next is disconnected. */
  readonly pingIntervalMs: number;
}

/** Where a client of another program has connected. */
interface Foreign {
  readonly program: Program;
  readonly url: URL;
}

/** Maximum number of fragments of one message. */
const maxFragments = 16_384;
/** The close code for a peer that sends far too much: it violates a policy (RFC 6455 section 7.4.1). */
const floodClose = 1008;

const tooManyStreams =
  'This address has too many streams, or has opened too many in the last minute; try again later.';
const textMessage = 'Messages must be binary, each a MessagePack map; this one was text.';
const flooded = 'The client sends far more messages than the limit allows; the connection is closed.';
/** The version that an upgrade must request (RFC 6455 section 4.4). */
const versions = { 'sec-websocket-version': '13' };

/** The close code of what no client can resume (RFC 6455 section 7.4.1). */
const normalClose = 1000;

/** `GET /v1/stream`, and addresses of other programs: turns WebSocket upgrades into connections of sessions. */
export class StreamServer implements AsyncDisposable {
  readonly #options: StreamServerOptions;
  readonly #sockets: WebSocketServer;
  readonly #addresses: AddressLimits;
  readonly #buffers = new MessageBuffers();
  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    void this.#upgrade(request, socket, head).catch((cause: unknown) =>
      this.#decline(socket, { code: 'internal' }, cause),
    );
  #closed: Promise<void> | null = null;

  constructor(options: StreamServerOptions) {
    this.#options = options;
    this.#addresses = new AddressLimits(options.addresses);
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: options.messageBytes,
      maxFragments,
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
    this.#sockets.on('wsClientError', (error: Error, socket: Duplex) =>
      this.#decline(socket, {
        code: 'unsupported_protocol',
        message: `${error.message}.`,
        headers: versions,
      }),
    );
    options.http.on('upgrade', this.#onUpgrade);
  }

  /** Ends all sessions as the server shuts down; settles when their connections have closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    this.#options.http.off('upgrade', this.#onUpgrade);
    this.#options.connections.close();
    const gone = [...this.#sockets.clients].map(
      (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
    );
    await Promise.all(gone);
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { access, guard, log, origins, originLog, connections, metrics } = this.#options;
    socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
    const foreign = this.#foreignTo(request);
    const fault = upgradeFault(request, origins, foreign !== null);
    if (fault) {
      if (fault.code === 'forbidden_origin') originLog.refused(request);
      return this.#decline(socket, fault);
    }
    const leave = this.#addresses.enter(guard.clientOf(request));
    if (!leave) return this.#decline(socket, { code: 'rate_limited', message: tooManyStreams });
    socket.once('close', leave);
    const { refusal } = connections;
    // Clients of other programs are told over the WebSocket.
    if (refusal && foreign === null) {
      metrics.sessionRefused();
      return this.#decline(socket, { code: refusal });
    }
    const token = bearerToken(request.headers.authorization);
    let grant: Grant | null = null;
    try {
      if (token !== undefined && access.required) grant = await access.verify(token);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#decline(socket, { code: error.code, message: error.message }, error.cause);
    }
    if (socket instanceof Socket) guard.promote(socket);
    this.#accept(request, socket, head, { grant, foreign });
  }

  /** Returns the address of a request if another program's protocol is spoken there, and which one. */
  #foreignTo({ url = '' }: IncomingMessage): Foreign | null {
    const { programs = [] } = this.#options;
    const address = `http://host${url}`;
    if (programs.length === 0 || !URL.canParse(address)) return null;
    const parsed = new URL(address);
    const program = programs.find((candidate) => candidate.serves(parsed.pathname));
    return program ? { program, url: parsed } : null;
  }

  #accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { grant, foreign }: { readonly grant: Grant | null; readonly foreign: Foreign | null },
  ): void {
    let wire: Wire | null = null;
    const onFlood = (): void => {
      if (wire !== null) this.#closeFlooder(wire);
    };
    const limited = new FrameRateLimit(socket, head, { perSecond: this.#options.messagesPerSecond, onFlood });
    this.#sockets.handleUpgrade(request, limited, Buffer.alloc(0), (client) => {
      const { guard, metrics } = this.#options;
      const own = new SocketWire({
        socket: client,
        network: limited,
        address: guard.clientOf(request),
        metrics,
        buffers: this.#buffers,
        isAlone: () => this.#sockets.clients.size === 1,
      });
      const bridge = foreign && new ForeignWire({ wire: own, ...foreign, metrics });
      wire = bridge ?? own;
      this.#serve(client, { wire, bridge, grant });
      if (limited.flooded) this.#closeFlooder(wire);
    });
  }

  #closeFlooder(wire: Wire): void {
    const { log, metrics } = this.#options;
    metrics.error('rate_limited');
    log.info({ address: wire.address }, 'closing a client that sent far too many messages');
    wire.send({ type: 'error', code: 'rate_limited', message: flooded });
    wire.close(floodClose, 'rate_limited');
  }

  /** Answers an upgrade with a plain HTTP error. */
  #decline(socket: Duplex, answer: RawAnswer, cause?: unknown): void {
    const { log, metrics, connections } = this.#options;
    metrics.error(answer.code);
    if (cause !== undefined) log.error({ code: answer.code, err: cause }, errors[answer.code].meaning);
    const full = errors[answer.code].status === 503;
    answerRaw(socket, { ...(full && { retryAfter: connections.retryAfter }), ...answer });
  }

  #serve(
    socket: WebSocket,
    {
      wire,
      bridge,
      grant,
    }: { readonly wire: Wire; readonly bridge: ForeignWire | null; readonly grant: Grant | null },
  ): void {
    const { connections, metrics, log } = this.#options;
    socket.on('error', (error: Error & { readonly code?: string }) => {
      // ws closes the connection itself, with the right code.
      if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') metrics.error('message_too_large');
      log.debug({ err: error }, 'a connection failed');
    });
    socket.once('close', (code) => {
      metrics.connectionClosed(code);
      bridge?.end();
    });
    const connection = connections.enter(wire, grant);
    if (!connection) return;
    bridge?.connect(connection);
    const stopPinging = this.#keepAlive(socket, () => connection.close('idle_timeout'));
    socket.on('message', (data, isBinary) => {
      if (!Buffer.isBuffer(data)) return;
      metrics.networkBytes('in', data.length);
      if (bridge) return bridge.receive(data, isBinary);
      if (!isBinary) return connection.close('invalid_message', textMessage);
      // Not copied: ws never writes to it again, and a picture is decoded soon.
      connection.receive(data);
    });
    socket.once('close', (code) => {
      stopPinging();
      connections.leave(connection, bridge ? normalClose : code);
    });
  }

  /** Pings a peer, and disconnects it if it is silent from one ping to the next. @returns a function that stops. */
  #keepAlive(socket: WebSocket, disconnect: () => void): () => void {
    let heard = true;
    const hear = (): void => void (heard = true);
    socket.on('pong', hear).on('ping', hear).on('message', hear);
    const timer = setInterval(() => {
      if (!heard) return disconnect();
      heard = false;
      socket.ping();
    }, this.#options.pingIntervalMs);
    return () => clearInterval(timer);
  }
}
