import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** A network path to a port of this machine that can break, or become slow. */
export class Link implements AsyncDisposable {
  readonly port: number;
  readonly #server;
  readonly #sockets = new Set<Socket>();
  #silent = false;
  #delayMs = 0;

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

  /** Delays all data from now on, in each direction. @param ms milliseconds; 0 ends the delay. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Closes all connections, and lets new ones through at once. */
  heal(): void {
    this.#silent = false;
    this.#delayMs = 0;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, far: Socket): void {
    this.#forward(near, far);
    this.#forward(far, near);
  }

  /** Hands on what one end of a connection sends, and its end, in order. */
  #forward(from: Socket, to: Socket): void {
    const passAfter = async (before: Promise<void>, hand: () => void): Promise<void> => {
      const due = performance.now() + this.#delayMs;
      await before;
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      if (!this.#silent) hand();
    };
    let previous = Promise.resolve();
    const pass = (hand: () => void): void => {
      previous = passAfter(previous, hand);
    };
    this.#sockets.add(from);
    from.on('data', (data) => pass(() => void to.write(data)));
    from.on('end', () => pass(() => void to.end()));
    from.on('error', () => {}); // `close` follows.
    from.on('close', () => {
      this.#sockets.delete(from);
      pass(() => to.destroySoon());
    });
  }
}
