import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A network path to a port of this machine that can break. */
export class Link implements AsyncDisposable {
  readonly port: number;
  readonly #server;
  readonly #sockets = new Set<Socket>();
  #silent = false;

  private constructor(server: ReturnType<typeof createServer>, port: number, target: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => this.#join(socket, connect(target, '127.0.0.1')));
  }

  static async to(target: number): Promise<Link> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new Link(server, address.port, target);
  }

  /** Loses all data from now on, in both directions, as if the cable were pulled: neither side is told. */
  fallSilent(): void {
    this.#silent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Closes all connections, and lets new ones through. */
  heal(): void {
    this.#silent = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, far: Socket): void {
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('data', (data) => this.#silent || other.write(data));
      socket.on('end', () => this.#silent || other.end());
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (!this.#silent) other.destroy();
      });
    }
  }
}
