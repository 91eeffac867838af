import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { subprotocol } from '@millrace/protocol';

/** The parts of a WebSocket frame (RFC 6455 section 5.2), valid or not. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload?: Uint8Array;
  readonly fin?: boolean;
  /** Reserved bits, 0 to 7. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** Length in the header, if not that of the payload. */
  readonly length?: number;
}

/** Returns the bytes of a frame. */
export function rawFrame(frame: RawFrame): Buffer {
  const { opcode, payload = new Uint8Array(), fin = true, reserved = 0, masked = true } = frame;
  const length = frame.length ?? payload.length;
  const head = Buffer.alloc(length < 126 ? 2 : 10);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? length : 127);
  if (length >= 126) head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i & 3])]);
}

/** A peer that sends any bytes after the WebSocket handshake. */
export class RawPeer {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (data) => (this.#bytes = Buffer.concat([this.#bytes, data])));
  }

  /** @param trailing bytes that are sent right after the request, before its answer. */
  static async connect(url: string, trailing = Buffer.alloc(0)): Promise<RawPeer> {
    const { hostname, port, pathname, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    const peer = new RawPeer(socket);
    const request =
      `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
      `Sec-WebSocket-Protocol: ${subprotocol}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(request), trailing]));
    while (!peer.#bytes.includes('\r\n\r\n')) await once(socket, 'data');
    peer.#bytes = peer.#bytes.subarray(peer.#bytes.indexOf('\r\n\r\n') + 4);
    return peer;
  }

  /** Waits for the close code of the server; 1006 without one. */
  async closeCode(): Promise<number> {
    for (;;) {
      const code = this.#findClose();
      if (code !== null || this.socket.closed) {
        this.socket.end();
        return code ?? 1006;
      }
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
  }

  /** Opcodes of the complete frames that were received, without the close frame. */
  get received(): number[] {
    const opcodes = [...this.#frames()].map(({ opcode }) => opcode);
    return opcodes.filter((opcode) => opcode !== 8);
  }

  /** Everything that was received, as text. */
  get text(): string {
    return this.#bytes.toString('latin1');
  }

  /** Returns the code of the close frame, null before it comes. */
  #findClose(): number | null {
    for (const { opcode, at } of this.#frames()) if (opcode === 8) return this.#bytes.readUInt16BE(at);
    return null;
  }

  /** Yields the complete frames, with the offset of each payload; frames of a server are not masked. */
  *#frames(): Generator<{ readonly opcode: number; readonly at: number }> {
    for (let at = 0; at + 2 <= this.#bytes.length;) {
      const [first = 0, second = 0] = this.#bytes.subarray(at);
      let head = 2;
      let length = second;
      if (second === 126) head = 4;
      if (second === 127) head = 10;
      if (at + head > this.#bytes.length) return;
      if (head === 4) length = this.#bytes.readUInt16BE(at + 2);
      if (head === 10) length = Number(this.#bytes.readBigUInt64BE(at + 2));
      if (at + head + length > this.#bytes.length) return;
      yield { opcode: first & 0x0f, at: at + head };
      at += head + length;
    }
  }
}
