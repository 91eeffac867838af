import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Which data a link loses: those to its target, those from it, or both. */
type Direction = 'to' | 'from';
export const bothWays: readonly Direction[] = ['to', 'from'];

/** A network path to a port of this machine that can break, or become slow. */
export class Link implements AsyncDisposable {
  readonly port: number;
  readonly #server;
  /** Each with the direction of what it sends. */
  readonly #sockets = new Map<Socket, Direction>();
  #silent: readonly Direction[] = [];
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

  /** Loses all data from now on, as if the cable, or one of its wires, were pulled: neither side is told. */
  fallSilent(directions = bothWays): void {
    this.#silent = directions;
    for (const [socket, direction] of this.#sockets) if (directions.includes(direction)) socket.pause();
  }

  /** Delays all data from now on, in each direction. @param ms milliseconds; 0 ends the delay. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Closes all connections, and lets new ones through at once. */
  heal(): void {
    this.#silent = [];
    this.#delayMs = 0;
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, far: Socket): void {
    this.#forward(near, far, 'to');
    this.#forward(far, near, 'from');
  }

  /** Hands on what one end of a connection sends, and its end, in order. */
  #forward(from: Socket, to: Socket, direction: Direction): void {
    const passAfter = async (before: Promise<void>, hand: () => void): Promise<void> => {
      const due = performance.now() + this.#delayMs;
      await before;
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      if (!this.#silent.includes(direction)) hand();
    };
    let previous = Promise.resolve();
    const pass = (hand: () => void): void => {
      previous = passAfter(previous, hand);
    };
    this.#sockets.set(from, direction);
    from.on('data', (data) => pass(() => void to.write(data)));
    from.on('end', () => pass(() => void to.end()));
    from.on('error', () => {}); // `close` follows.
    from.on('close', () => {
      this.#sockets.delete(from);
      pass(() => to.destroySoon());
    });
  }
}
