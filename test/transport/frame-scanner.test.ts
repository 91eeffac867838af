import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameScanner } from '../../src/transport/frame-scanner.js';
import { rawFrame } from '../faults/raw-peer.js';

const [continuation, text, binary, ping] = [0, 1, 2, 9];

/** Returns the offsets of all frame ends that count, with the bytes in chunks of this size. */
function endsOf(bytes: Buffer, size: number): number[] {
  const scanner = new FrameScanner();
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    ends.push(...scanner.scan(bytes.subarray(at, at + size)).map((end) => at + end));
  }
  return ends;
}

describe('FrameScanner', () => {
  const frames = [
    rawFrame({ opcode: binary }),
    rawFrame({ opcode: ping, payload: new Uint8Array(125) }),
    rawFrame({ opcode: text, payload: new Uint8Array(126) }),
    rawFrame({ opcode: binary, payload: new Uint8Array(70_000), fin: false }),
    rawFrame({ opcode: continuation, payload: new Uint8Array(1023), fin: false }),
    rawFrame({ opcode: continuation, payload: new Uint8Array(0) }),
    rawFrame({ opcode: ping, masked: false }),
  ];
  const ends = frames.map((_, i) => Buffer.concat(frames.slice(0, i + 1)).length);

  for (const size of [1, 2, 3, 7, 1000, 65_536, 1_000_000]) {
    it(`finds the end of each frame in chunks of ${size} bytes`, () => {
      assert.deepEqual(endsOf(Buffer.concat(frames), size), ends);
    });
  }

  it('does not count long continuations: their size limits their number', () => {
    const long = rawFrame({ opcode: continuation, payload: new Uint8Array(1024) });
    const [first = Buffer.alloc(0)] = frames;
    assert.deepEqual(endsOf(Buffer.concat([first, long, first]), 1000), [
      first.length,
      2 * first.length + long.length,
    ]);
  });

  it('reads the 16-bit form of a length', () => {
    const header = Buffer.from([0x82, 126, 0x01, 0x00]);
    assert.deepEqual(endsOf(Buffer.concat([header, Buffer.alloc(256), header]), 100), [260]);
  });

  it('waits for the rest of a frame with an excessive length', () => {
    const endless = rawFrame({ opcode: binary, payload: new Uint8Array(10), length: 2 ** 52 });
    assert.deepEqual(endsOf(Buffer.concat([endless, Buffer.alloc(100_000)]), 65_536), []);
  });
});
