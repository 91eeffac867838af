import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Bytes of the header of a message (RFC 1035 section 4.1.1). */
const headerBytes = 12;
const addressType = 1;

/** A name server that gives every name the same IPv4 addresses, and may fall silent. Without addresses, it knows the name and has none. */
export class NameServer implements AsyncDisposable {
  readonly port: number;
  readonly #socket;
  addresses: readonly string[] = [];
  isSilent = false;
  /** Queries that have come. */
  queries = 0;

  private constructor(socket: ReturnType<typeof createSocket>) {
    this.#socket = socket;
    this.port = socket.address().port;
    socket.on('message', (query, { address, port }) => {
      this.queries += 1;
      if (!this.isSilent) socket.send(this.#answer(query), port, address);
    });
  }

  static async start(): Promise<NameServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NameServer(socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #answer(query: Buffer): Buffer {
    // The name ends with an empty label; its type and class follow.
    const questionEnd = query.indexOf(0, headerBytes) + 5;
    const question = query.subarray(headerBytes, questionEnd);
    const type = query.readUInt16BE(questionEnd - 4);
    const addresses = type === addressType ? this.addresses : [];
    const header = Buffer.alloc(headerBytes);
    query.copy(header, 0, 0, 2);
    // An answer without an error, to one question.
    header.writeUInt16BE(0x81_80, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    const records = addresses.map((address) => {
      // The name of the question, an address of class IN, valid for a second.
      const start = [0xc0, headerBytes, 0, addressType, 0, 1, 0, 0, 0, 1, 0, 4];
      return Buffer.from([...start, ...address.split('.').map(Number)]);
    });
    return Buffer.concat([header, question, ...records]);
  }
}
