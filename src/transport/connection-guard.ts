import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errors } from '@millrace/protocol';
import { TokenBucket } from '../session/time/token-bucket.js';
import { RecentEntries } from '../session/time/recent-entries.js';
import type { ClientAddresses } from './client-addresses.js';
import { networkOf } from './network.js';
import { errorBody, errorHeaders } from './http-error.js';
import { answerRaw } from './raw-answer.js';
import { securityHeaders } from './security-headers.js';

export interface ConnectionGuardOptions {
  /** TCP connections at the same time. */
  readonly connections: number;
  /** Of these, connections from one address that are not streams. */
  readonly plainPerAddress: number;
  /** HTTP requests per second from one address, and new connections per second, each also in one burst. */
  readonly requestsPerSecond: number;
  readonly clients: ClientAddresses;
}

interface Address {
  readonly connects: TokenBucket;
  readonly requests: TokenBucket;
  /** Connections that are not streams. */
  plain: number;
  /** Until when, by `performance.now()`, new connections are closed at once. */
  bannedUntil: number;
}

interface Plain {
  readonly address: Address;
  /** Unfinished answers. */
  readonly waiting: Set<ServerResponse>;
  /** Whether its last answer was written. */
  finished: boolean;
  /** Requests that came after that. */
  ignored: number;
}

/** Connections that Node.js accepts above the limit: a new one must arrive before an old one is closed for it. */
const overlap = 16;
/** Requests of one connection that may wait for their answers (HTTP pipelining). */
const mostWaiting = 16;
/** Requests that are ignored after the last answer before the connection is closed. */
const mostIgnored = 64;
/** How long an address is banned after its connection was closed for this, in milliseconds. */
const banMs = 5000;
const tooManyConnections = 'This address has too many connections; close some, and try again.';
const tooManyRequests = 'Too many requests in a short time; wait and retry.';

/**
 * Limits TCP connections, per address and in total, so that file descriptors are left for the rest of the server; and
 * the requests over them. If there are too many in total, the oldest connection without a request is closed: honest
 * clients send their requests at once. The connections of a trusted proxy are those of many users: only their total is
 * limited, and the requests of each user.
 */
export class ConnectionGuard {
  readonly #options: ConnectionGuardOptions;
  readonly #addresses = new RecentEntries<Address>(
    ({ connects, requests, plain, bannedUntil }) =>
      plain === 0 && connects.full && requests.full && performance.now() > bannedUntil,
  );
  /** In order of arrival. */
  readonly #plain = new Map<Socket, Plain>();
  #open = 0;

  constructor(options: ConnectionGuardOptions) {
    this.#options = options;
  }

  /** Limits the connections of this server from now on. */
  watch(server: Server): void {
    server.maxConnections = this.#options.connections + overlap;
    server.on('connection', (socket) => this.#enter(socket));
  }

  /** Returns the address of the client that a request comes from. */
  clientOf(request: IncomingMessage): string {
    return this.#options.clients.of(request);
  }

  /** Treats the connection as a stream from now on: other limits apply. */
  promote(socket: Socket): void {
    this.#leave(socket);
  }

  /** Returns whether an answer was partly written to this connection: nothing else may be written before its end. */
  isAnswering(socket: Socket): boolean {
    return [...(this.#plain.get(socket)?.waiting ?? [])].some(({ headersSent }) => headersSent);
  }

  /** @returns whether to handle a request; if not, it was answered, or its connection is being closed. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { socket } = request;
    const plain = this.#plain.get(socket);
    if (plain === undefined) return false;
    if (plain.finished) return this.#ignore(socket, plain);
    const { requests } = this.#addressOf(this.clientOf(request));
    if (requests.take() && plain.waiting.size < mostWaiting) {
      plain.waiting.add(response);
      response.once('close', () => plain.waiting.delete(response));
      return true;
    }
    // Further requests of the same connection are ignored.
    plain.finished = true;
    const { status } = errors.rate_limited;
    const own = { 'content-type': 'application/json', connection: 'close' };
    const headers = { ...securityHeaders, ...errorHeaders(status, 1), ...own };
    const body = JSON.stringify(errorBody('rate_limited', tooManyRequests));
    response.writeHead(status, headers).end(body);
    return false;
  }

  /** Node.js continues to read and parse ignored requests: a client that keeps sending is cut off for a while. */
  #ignore(socket: Socket, plain: Plain): false {
    plain.ignored += 1;
    if (plain.ignored < mostIgnored) return false;
    plain.address.bannedUntil = performance.now() + banMs;
    this.#leave(socket);
    socket.destroy();
    return false;
  }

  #enter(socket: Socket): void {
    // A socket may fail at any time, even before it has other listeners.
    socket.on('error', () => {});
    this.#open += 1;
    socket.once('close', () => {
      this.#open -= 1;
      this.#leave(socket);
    });
    const { connections, plainPerAddress, clients } = this.#options;
    const from = socket.remoteAddress ?? '';
    const address = this.#addressOf(from);
    if (!clients.isProxy(from)) {
      // No answer: it would cost more than the connection did.
      if (!address.connects.take() || performance.now() < address.bannedUntil) return void socket.destroy();
      if (address.plain >= plainPerAddress) {
        return answerRaw(socket, { code: 'rate_limited', message: tooManyConnections });
      }
    }
    if (this.#open > connections && !this.#makeRoom())
      return answerRaw(socket, { code: 'too_many_sessions' });
    address.plain += 1;
    this.#plain.set(socket, { address, waiting: new Set(), finished: false, ignored: 0 });
  }

  #addressOf(ip: string): Address {
    const { requestsPerSecond } = this.#options;
    return this.#addresses.of(networkOf(ip), () => ({
      connects: new TokenBucket(requestsPerSecond),
      requests: new TokenBucket(requestsPerSecond),
      plain: 0,
      bannedUntil: -Infinity,
    }));
  }

  /** Closes the oldest connection without a request. @returns whether there was one. */
  #makeRoom(): boolean {
    for (const [socket, { waiting }] of this.#plain) {
      if (waiting.size > 0) continue;
      this.#leave(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #leave(socket: Socket): void {
    const plain = this.#plain.get(socket);
    if (plain === undefined) return;
    this.#plain.delete(socket);
    plain.address.plain -= 1;
  }
}
