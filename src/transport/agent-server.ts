import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { EngineState } from '../engine/engine.js';

/** What decides how many new streams a load balancer may send to this server. */
export interface AgentReport {
  readonly engine: EngineState['name'];
  /** Whether the server is going to stop. */
  readonly draining: boolean;
  readonly slots: number;
  readonly served: number;
}

/** Connections at the same time. Each is answered at once, so that the oldest can be closed for a new one. */
const mostConnections = 64;
/** How long a balancer may take to close the connection, whatever it sends meanwhile, in milliseconds. */
const closeTimeoutMs = 2000;

/**
 * Answers each connection with one line of HAProxy's agent protocol (`agent-check` in its configuration manual): how
 * many streams this server can take, and how willing it is to take another.
 */
export class AgentServer implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server;

  constructor(report: () => AgentReport) {
    this.#server = createServer((socket) => this.#answer(socket, agentLine(report())));
  }

  /** @throws {Error} (as rejection) that names the setting to change. */
  async listen(host: string, port: number): Promise<void> {
    this.#server.listen({ host, port });
    try {
      await once(this.#server, 'listening');
    } catch (error) {
      throw new Error(explain(error, host, port), { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = this.#server.listening && once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #answer(socket: Socket, line: string): void {
    this.#makeRoom();
    this.#sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), closeTimeoutMs);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    // If a balancer's text (agent-send) stayed unread, closing would discard the answer.
    socket.resume();
    socket.end(`${line}\n`);
  }

  #makeRoom(): void {
    for (const oldest of this.#sockets) {
      if (this.#sockets.size < mostConnections) return;
      this.#sockets.delete(oldest);
      oldest.destroy();
    }
  }
}

/**
 * Returns the state of this server in words of HAProxy: its weight is the percentage of free slots, and HAProxy sends
 * it at most as many streams as it has slots. `drain` keeps newcomers away and leaves the present streams alone.
 */
export function agentLine({ engine, draining, slots, served }: AgentReport): string {
  if (engine === 'failed' || engine === 'stopped') return 'down';
  if (engine === 'starting') return 'up maint';
  if (draining || engine === 'restarting') return 'up drain';
  if (served >= slots) return `up drain maxconn:${slots}`;
  const freePercent = Math.ceil((100 * (slots - served)) / slots);
  return `up ready ${freePercent}% maxconn:${slots}`;
}

function explain(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of the agent is in use; stop the program that uses it, or choose another with --agent-port`;
    case 'EACCES':
      return `port ${port} of the agent needs special rights; choose one above 1023 with --agent-port`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is not an address of this machine; choose another with --agent-host`;
    default:
      return `the agent cannot listen on ${host}, port ${port}: ${String(error)}`;
  }
}
