import { connect, type MillraceStream, type ResultMessage } from '@millrace/client';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { decodeImage } from '../../src/image/decode.js';
import { meanDifference } from '../image/pictures.js';
import { motionJpegFrames } from '../support/frames.js';
import { startServer } from '../support/server-process.js';

const frames = motionJpegFrames('walkers.mjpeg');

/** A minimal load balancer: sends new connections to one server. */
class Balancer implements AsyncDisposable {
  readonly #server = createServer((socket) => this.#join(socket));
  readonly #sockets = new Set<Socket>();
  target = '';

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #join(incoming: Socket): void {
    const outgoing = connectTcp(Number(new URL(this.target).port), '127.0.0.1');
    for (const [socket, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Sends a picture repeatedly until a result arrives. */
async function generate(stream: MillraceStream, picture: Uint8Array): Promise<ResultMessage> {
  const resend = setInterval(() => stream.send(picture), 100);
  try {
    return await new Promise((resolve, reject) => {
      const id = stream.send(picture);
      stream.on('result', (result) => result.id >= id && resolve(result));
      stream.on('close', ({ error }) => reject(error ?? new Error('closed')));
    });
  } finally {
    clearInterval(resend);
  }
}

test('a stream survives kill -9 of its server, and moves on when the next server drains', async () => {
  const settings = ['--resume-key', 'the same for all servers', '--drain-seconds', '10'];
  await using first = await startServer(...settings);
  await using second = await startServer(...settings);
  await using third = await startServer(...settings);
  await using balancer = new Balancer();
  const url = await balancer.start();
  balancer.target = first.url;
  const events: string[] = [];
  await using stream = await connect(url, {
    webSocket: WebSocket,
    parameters: { prompt: 'blueprint', seed: 1 },
  });
  for (const name of ['drain', 'reconnecting', 'reconnected'] as const) {
    stream.on(name, (event) => events.push('resumed' in event ? `${name} ${event.resumed}` : name));
  }
  const { session } = stream;
  const pixels = async (result: ResultMessage): ReturnType<typeof decodeImage> =>
    decodeImage(result.data, { maxPixels: 1e6 });
  await stream.update({ prompt: 'pencil sketch' });
  const before = await pixels(await generate(stream, frames[0]));

  balancer.target = second.url;
  const resumed = new Promise((resolve) => stream.on('reconnected', resolve));
  first.child.kill('SIGKILL');
  await resumed;
  assert.equal(stream.session, session);
  assert.equal(stream.parameters.prompt, 'pencil sketch');
  const after = await pixels(await generate(stream, frames[0]));
  assert.ok(meanDifference(before, after) < 3, 'the picture is the same on the other server');

  balancer.target = third.url;
  const moved = new Promise((resolve) => stream.on('reconnected', resolve));
  const exited = once(second.child, 'exit');
  second.child.kill('SIGTERM');
  await moved;
  assert.equal(stream.session, session);
  await generate(stream, frames[0]);
  assert.deepEqual(await exited, [0, null]);
  assert.deepEqual(events, ['reconnecting', 'reconnected true', 'drain', 'reconnected true']);
});
