import { connect, type Socket } from 'node:net';
import { encodeMessage, subprotocol, type ParameterUpdate } from '@millrace/protocol';

/** Number of bytes read of a server message: its type and its first numbers. */
const headBytes = 96;
/** Credits left unused, of the two, so that no frame supersedes a waiting one. */
const unused = 1;
const mask = Buffer.of(0x37, 0xfa, 0x21, 0x3d);

/** Returns a WebSocket frame of a client (RFC 6455 section 5.2): masked. */
function masked(payload: Uint8Array): Buffer {
  const body = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([frameHeader(payload.length), mask, body]);
}

function frameHeader(length: number): Buffer {
  if (length < 126) return Buffer.of(0x82, 0x80 | length);
  const header = Buffer.alloc(length < 65_536 ? 4 : 10);
  header[0] = 0x82;
  header[1] = 0x80 | (length < 65_536 ? 126 : 127);
  if (length < 65_536) header.writeUInt16BE(length, 2);
  else header.writeUInt32BE(length, 6);
  return header;
}

/** Returns the start and length of the payload of a server frame; null if its header is incomplete. */
function readFrameHeader(
  head: Buffer,
  have: number,
): { readonly start: number; readonly length: number } | null {
  const short = (head[1] ?? 0) & 0x7f;
  if (have < 2) return null;
  if (short < 126) return { start: 2, length: short };
  if (short === 126) return have < 4 ? null : { start: 4, length: head.readUInt16BE(2) };
  return have < 10 ? null : { start: 10, length: head.readUInt32BE(6) };
}

/** A frame message whose id and capture time are written in place, which costs the generator almost nothing. */
class FrameTemplate {
  readonly #bytes: Buffer;
  /** Offset of the message; those of its fields are relative to it. */
  readonly #start: number;
  readonly #id: number;
  readonly #captured: number;

  constructor(jpeg: Uint8Array) {
    const text = (value: string): Buffer =>
      Buffer.concat([Buffer.of(0xa0 | value.length), Buffer.from(value)]);
    const length = Buffer.alloc(5);
    length[0] = 0xc6;
    length.writeUInt32BE(jpeg.length, 1);
    // { type: 'frame', id: uint 32, captured: float 64, data: bin 32 }
    const before = Buffer.concat([Buffer.of(0x84), text('type'), text('frame'), text('id'), Buffer.of(0xce)]);
    const between = Buffer.concat([text('captured'), Buffer.of(0xcb)]);
    const payload = Buffer.concat([
      before,
      Buffer.alloc(4),
      between,
      Buffer.alloc(8),
      text('data'),
      length,
      jpeg,
    ]);
    this.#bytes = masked(payload);
    this.#start = this.#bytes.length - payload.length;
    this.#id = before.length;
    this.#captured = before.length + 4 + between.length;
  }

  /** Returns the bytes of the whole message; a copy, since it may be sent later. */
  message(id: number, captured: number): Buffer {
    const bytes = Buffer.from(this.#bytes);
    bytes.writeUInt32BE(id, this.#start + this.#id);
    bytes.writeDoubleBE(captured, this.#start + this.#captured);
    for (const [at, length] of [
      [this.#id, 4],
      [this.#captured, 8],
    ] as const) {
      for (let i = at; i < at + length; i++) bytes[this.#start + i] ^= mask[i % 4] ?? 0;
    }
    return bytes;
  }
}

/** Events of a connection. */
export interface RawClientEvents {
  result(captured: number): void;
  dropped(): void;
}

/**
 * A client that costs its process almost nothing: it changes prepared messages in place, and reads only the first bytes
 * of server messages. It has at most two frames under way, and acknowledges at once.
 */
export class RawClient {
  readonly #socket: Socket;
  readonly #frames: readonly FrameTemplate[];
  readonly #events: RawClientEvents;
  readonly #ready: () => void;
  #hello: Buffer = Buffer.alloc(0);
  readonly #head = Buffer.alloc(headBytes + 10);
  #upgraded = false;
  #have = 0;
  #skip = 0;
  #sent = 0;
  #answered = 0;
  #allowed = 0;
  #eager = false;

  private constructor(
    port: number,
    jpegs: readonly Uint8Array[],
    events: RawClientEvents,
    ready: () => void,
  ) {
    this.#frames = jpegs.map((jpeg) => new FrameTemplate(jpeg));
    this.#events = events;
    this.#ready = ready;
    this.#socket = connect(port, '127.0.0.1', () => {
      this.#socket.write(
        [
          'GET /v1/stream HTTP/1.1',
          `Host: 127.0.0.1:${port}`,
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Version: 13',
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
          `Sec-WebSocket-Protocol: ${subprotocol}`,
          '\r\n',
        ].join('\r\n'),
      );
    });
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (data) => this.#read(data));
  }

  /** Connects, and waits until the server is ready. @param parameters of the stream. */
  static async open(
    port: number,
    jpegs: readonly Uint8Array[],
    parameters: ParameterUpdate,
    events: RawClientEvents,
  ): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const client: RawClient = new RawClient(port, jpegs, events, () => resolve(client));
      client.#socket.once('error', reject);
      client.#socket.once('close', () => reject(new Error('the server closed the connection')));
      client.#hello = masked(encodeMessage({ type: 'hello', parameters, sent: performance.now() }));
    });
  }

  /** Sends frames whenever the server accepts another. */
  sendAll(): void {
    this.#eager = true;
    this.#sendMore();
  }

  /** Sends one frame, if the server accepts another. */
  send(): void {
    if (this.#sent - this.#answered >= 2 || this.#sent >= this.#allowed) return;
    const id = this.#sent++;
    const template = this.#frames[id % this.#frames.length];
    if (template) this.#socket.write(template.message(id, performance.now()));
  }

  close(): void {
    this.#socket.destroy();
  }

  #sendMore(): void {
    while (this.#eager && this.#sent - this.#answered < 2 && this.#sent < this.#allowed) this.send();
  }

  #read(data: Buffer): void {
    let at = 0;
    if (!this.#upgraded) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#upgraded = true;
      this.#socket.write(this.#hello);
      at = end + 4;
    }
    while (at < data.length) {
      const skipped = Math.min(this.#skip, data.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (at === data.length) break;
      at += this.#readHead(data, at);
    }
  }

  /** Collects the beginning of a message. Returns the number of bytes taken. */
  #readHead(data: Buffer, at: number): number {
    const head = this.#head;
    const before = this.#have;
    this.#have += data.copy(head, before, at, Math.min(data.length, at + head.length - before));
    const header = readFrameHeader(head, this.#have);
    if (header === null) return this.#have - before;
    const { start, length } = header;
    const wanted = start + Math.min(length, headBytes);
    if (this.#have < wanted) return this.#have - before;
    this.#have = 0;
    this.#skip = start + length - wanted;
    this.#handle(head.subarray(start, wanted), (head[0] ?? 0) & 0x0f);
    return wanted - before;
  }

  #handle(head: Buffer, opcode: number): void {
    if (opcode === 9) return void this.#socket.write(Buffer.concat([Buffer.of(0x8a, 0x80), mask]));
    if (opcode !== 2) throw new Error(`the server sent a frame of type ${opcode}: ${head.toString()}`);
    if (head.includes('\xa6result', 'latin1')) {
      this.#answered += 1;
      const sequence = numberAfter(head, 'sequence');
      this.#socket.write(masked(encodeMessage({ type: 'ack', sequence })));
      this.#events.result(numberAfter(head, 'captured'));
    } else if (head.includes('\xa6credit', 'latin1')) {
      this.#allowed = numberAfter(head, 'total') - unused;
    } else if (head.includes('\xa7dropped', 'latin1')) {
      this.#answered += 1;
      this.#events.dropped();
    } else if (head.includes('\xa5ready', 'latin1')) {
      this.#allowed = 2 - unused;
      return this.#ready();
    } else if (head.includes('\xa5error', 'latin1')) {
      throw new Error(`the server sent an error: ${head.toString()}`);
    }
    this.#sendMore();
  }
}

/** Returns the number of a key in a MessagePack map. */
function numberAfter(head: Buffer, key: string): number {
  const at = head.indexOf(key) + key.length;
  const format = head[at] ?? 0;
  if (format < 0x80) return format;
  switch (format) {
    case 0xcc:
      return head.readUInt8(at + 1);
    case 0xcd:
      return head.readUInt16BE(at + 1);
    case 0xce:
      return head.readUInt32BE(at + 1);
    case 0xcb:
      return head.readDoubleBE(at + 1);
    default:
      throw new RangeError(`no number for ${key}: ${format.toString(16)}`);
  }
}
