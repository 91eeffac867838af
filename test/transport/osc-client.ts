import { createSocket } from 'node:dgram';

type Argument =
  | readonly ['i' | 'f' | 'd' | 'h', number]
  | readonly ['s', string]
  | readonly ['b', Uint8Array]
  | readonly ['T' | 'F' | 'N' | '[' | ']'];

/** Returns a message as a packet of Open Sound Control. */
export function message(address: string, values: readonly Argument[]): Buffer {
  const types = values.map(([type]) => type).join('');
  return Buffer.concat([text(address), text(`,${types}`), ...values.map(encode)]);
}

/** Returns packets as one, to be done at once. */
export function bundle(...packets: readonly Buffer[]): Buffer {
  const parts = packets.flatMap((packet) => [int(packet.length), packet]);
  return Buffer.concat([text('#bundle'), Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), ...parts]);
}

/** Sends a packet to a port of this machine. Returns the answer, if one is awaited. */
export async function sendPacket(port: number, packet: Uint8Array, awaited = false): Promise<Buffer | null> {
  const socket = createSocket('udp4');
  try {
    return await new Promise((resolve, reject) => {
      socket.on('message', resolve);
      socket.send(packet, port, '127.0.0.1', (error) => {
        if (error) reject(error);
        else if (!awaited) resolve(null);
      });
    });
  } finally {
    socket.close();
  }
}

function encode([type, value]: Argument): Buffer {
  const number = Buffer.alloc(8);
  switch (type) {
    case 'i':
      return int(value);
    case 'f':
      number.writeFloatBE(value);
      return number.subarray(0, 4);
    case 'd':
      number.writeDoubleBE(value);
      return number;
    case 'h':
      number.writeBigInt64BE(BigInt(value));
      return number;
    case 's':
      return text(value);
    case 'b':
      return Buffer.concat([int(value.length), value], 4 + Math.ceil(value.length / 4) * 4);
    default:
      return Buffer.alloc(0);
  }
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const length = Buffer.byteLength(value);
  return Buffer.concat([Buffer.from(value)], length + 4 - (length % 4));
}
