import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { encodeMessage } from '@millrace/protocol';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';
import { rawFrame, RawPeer, type RawFrame } from './raw-peer.js';

// Cases of test/transport (origins, subprotocols, images, parameters, credits, silence) are not repeated here.

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const small = { width: 64, height: 64 };
const hello = encodeMessage({ type: 'hello', parameters: small });
const binary = 2;

/** Returns the MessagePack of a map with a type, and further bytes inside it. */
const message = (...rest: readonly number[]): Uint8Array =>
  Uint8Array.from([0x82, 0xa4, ...Buffer.from('type'), 0xa3, ...Buffer.from('ack'), 0xa1, 0x78, ...rest]);

const tower = (depth: number): number[] => [...Array.from({ length: depth }, () => 0x91), 0xc0];

/** Rows: description, frames, and the close code that RFC 6455 or the protocol requires. */
const table: readonly (readonly [what: string, frames: readonly RawFrame[], close: number])[] = [
  ['a reserved bit', [{ opcode: binary, payload: hello, reserved: 4 }], 1002],
  ['an unknown opcode', [{ opcode: 3, payload: hello }], 1002],
  ['a frame without a mask', [{ opcode: binary, payload: hello, masked: false }], 1002],
  ['a continuation without a start', [{ opcode: 0, payload: hello }], 1002],
  [
    'a message within the fragments of another',
    [
      { opcode: binary, payload: hello.subarray(0, 9), fin: false },
      { opcode: binary, payload: hello },
    ],
    1002,
  ],
  ['a ping in fragments', [{ opcode: 9, fin: false }], 1002],
  ['a ping of 200 bytes', [{ opcode: 9, payload: new Uint8Array(200) }], 1002],
  ['a close code that must not be sent', [{ opcode: 8, payload: Uint8Array.of(0x03, 0xed) }], 1002],
  ['text that is not UTF-8', [{ opcode: 1, payload: Uint8Array.of(0xc3, 0x28) }], 1007],
  ['text that is UTF-8', [{ opcode: 1, payload: Buffer.from('{}') }], 4400],
  ['a close reason that is not UTF-8', [{ opcode: 8, payload: Uint8Array.of(0x03, 0xe8, 0xc3, 0x28) }], 1007],
  ['a header that promises an exabyte', [{ opcode: binary, length: 2 ** 50 }], 1009],
  ['a message beyond the limit', [{ opcode: binary, payload: new Uint8Array(1_000_001) }], 1009],
  [
    'a message beyond the limit in fragments',
    Array.from({ length: 3 }, (_, i) => ({
      opcode: i === 0 ? binary : 0,
      payload: new Uint8Array(400_000),
      fin: false,
    })),
    1009,
  ],
  [
    'a message in 20,000 fragments',
    Array.from({ length: 20_000 }, (_, i) => ({
      opcode: i === 0 ? binary : 0,
      payload: Uint8Array.of(0),
      fin: false,
    })),
    1008,
  ],
  ['an empty message', [{ opcode: binary }], 4400],
  ['truncated MessagePack', [{ opcode: binary, payload: message(0xdb, 0, 0, 0, 9) }], 4400],
  ['MessagePack with trailing bytes', [{ opcode: binary, payload: message(0x01, 0x02) }], 4400],
  [
    'MessagePack that promises four billion values',
    [{ opcode: binary, payload: message(0xdd, 0xff, 0xff, 0xff, 0xff) }],
    4400,
  ],
  [
    'MessagePack with 5,000 values',
    [{ opcode: binary, payload: message(0xdc, 0x13, 0x88, ...Array.from({ length: 5000 }, () => 0)) }],
    4400,
  ],
  ['MessagePack nested 100,000 deep', [{ opcode: binary, payload: message(...tower(100_000)) }], 4400],
  ['MessagePack with a map as a key', [{ opcode: binary, payload: Uint8Array.of(0x81, 0x80, 0x80) }], 4400],
  [
    'a string that is not UTF-8',
    [{ opcode: binary, payload: Uint8Array.from([0x81, 0xa4, ...Buffer.from('type'), 0xa2, 0xc3, 0x28]) }],
    4400,
  ],
];

describe('a peer that sends', () => {
  let server: TestServer;
  let bystander: StreamClient;
  let next = 0;

  before(async () => {
    server = await startServer({ maxMessageBytes: 1_000_000, credits: 1, helloTimeoutSeconds: 3 });
    await server.app.ready();
    bystander = await StreamClient.open(server.streamUrl, small);
  });

  after(async () => {
    await bystander[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  afterEach(async () => {
    const { type } = await bystander.generate(next++, picture);
    assert.equal(type, 'result', 'another session was disturbed');
    assert.deepEqual(bystander.all('error'), []);
  });

  for (const [what, frames, close] of table) {
    it(`${what} is closed with ${close}`, async () => {
      const peer = await RawPeer.connect(server.streamUrl);
      peer.socket.write(Buffer.concat(frames.map((frame) => rawFrame(frame))));
      assert.equal(await peer.closeCode(), close);
    });
  }

  it('half a frame and then nothing is closed with 4408', async () => {
    const peer = await RawPeer.connect(server.streamUrl);
    peer.socket.write(rawFrame({ opcode: binary, payload: hello }).subarray(0, 10));
    assert.equal(await peer.closeCode(), 4408);
  });

  it('a reset in the middle of a message leaves nothing behind', async () => {
    const peer = await RawPeer.connect(server.streamUrl);
    peer.socket.write(rawFrame({ opcode: binary, payload: new Uint8Array(1000), length: 900_000 }));
    peer.socket.resetAndDestroy();
  });
});
