import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Readable } from 'node:stream';

/** Packets of a transport stream in one of RTP, as RFC 2250 advises: they fit into one of Ethernet. */
const payloadBytes = 7 * 188;
const clockHz = 90_000;
/** MP2T (RFC 3551, section 6). */
const payloadType = 33;

/**
 * A camera of the network: serves RTSP (RFC 2326) with a password, and plays an MPEG transport stream over the
 * connection itself (section 10.12).
 */
export class RtspCamera implements AsyncDisposable {
  readonly #server: Server;
  readonly #stream: () => Readable;
  readonly #credentials: string;

  private constructor(stream: () => Readable, credentials: string) {
    this.#stream = stream;
    this.#credentials = `Basic ${Buffer.from(credentials).toString('base64')}`;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @param stream opens what a client gets. @param credentials as `name:password`. */
  static async start(stream: () => Readable, credentials: string): Promise<RtspCamera> {
    const camera = new RtspCamera(stream, credentials);
    camera.#server.listen(0, '127.0.0.1');
    await once(camera.#server, 'listening');
    return camera;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    let text = '';
    socket.on('error', () => {});
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        // Reports of the receiver (RTCP) may come before a request.
        const request = /[A-Z]+ rtsp:[^$]*$/s.exec(text.slice(0, end))?.[0] ?? '';
        text = text.slice(end + 4);
        this.#answer(socket, request);
      }
    });
  }

  #answer(socket: Socket, request: string): void {
    const [method = ''] = request.split(' ');
    const header = (name: string): string => new RegExp(`^${name}: *(.*)$`, 'im').exec(request)?.[1] ?? '';
    const reply = (status: string, headers: readonly string[] = [], body = ''): void => {
      const head = [`RTSP/1.0 ${status}`, `CSeq: ${header('CSeq')}`, ...headers];
      socket.write(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    };
    if (method === 'OPTIONS') return reply('200 OK', ['Public: DESCRIBE, SETUP, PLAY, TEARDOWN']);
    if (header('Authorization') !== this.#credentials)
      return reply('401 Unauthorized', ['WWW-Authenticate: Basic realm="camera"']);
    if (method === 'DESCRIBE') {
      const lines = [
        'v=0',
        'o=- 0 0 IN IP4 127.0.0.1',
        's=camera',
        't=0 0',
        `m=video 0 RTP/AVP ${payloadType}`,
      ];
      return reply('200 OK', ['Content-Type: application/sdp'], `${lines.join('\r\n')}\r\n`);
    }
    if (method === 'SETUP') {
      const transport = 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1';
      return reply('200 OK', ['Session: 1', transport]);
    }
    reply('200 OK', ['Session: 1']);
    if (method === 'PLAY') void this.#play(socket);
    else socket.end();
  }

  async #play(socket: Socket): Promise<void> {
    const startedAt = performance.now();
    let sequence = 0;
    const send = (payload: Buffer): void => {
      const header = Buffer.alloc(16);
      header.write('$');
      header.writeUInt16BE(12 + payload.length, 2);
      header.writeUInt8(0x80, 4);
      header.writeUInt8(payloadType, 5);
      header.writeUInt16BE(sequence++ & 0xffff, 6);
      header.writeUInt32BE(Math.round(((performance.now() - startedAt) / 1000) * clockHz), 8);
      socket.write(Buffer.concat([header, payload]));
    };
    let rest = Buffer.alloc(0);
    for await (const chunk of this.#stream() as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= payloadBytes; rest = rest.subarray(payloadBytes))
        send(rest.subarray(0, payloadBytes));
    }
    if (rest.length > 0) send(rest);
    socket.end();
  }
}
