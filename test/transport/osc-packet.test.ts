import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OscError, readPacket, writeMessage } from '../../src/transport/osc-packet.js';
import { bundle, message } from './osc-client.js';
import { cases } from '../support/properties.js';

describe('readPacket', () => {
  it('reads values of every usual type', () => {
    const [read] = readPacket(
      message('/a/b', [
        ['i', -7],
        ['f', 0.6],
        ['d', 0.1],
        ['h', 2 ** 40],
        ['s', 'öl'],
        ['b', Uint8Array.of(1, 2, 3)],
        ['T'],
        ['F'],
        ['N'],
      ]),
    );
    assert.equal(read?.address, '/a/b');
    assert.deepEqual(read?.values, [-7, 0.6, 0.1, 2 ** 40, 'öl', Uint8Array.of(1, 2, 3), true, false, null]);
    assert.deepEqual(readPacket(message('/t', [['['], ['i', 16], ['i', 32], [']']]))[0]?.values, [16, 32]);
  });

  it('takes bundles apart, in order', () => {
    const [a, b, c] = ['/a', '/b', '/c'].map((address) => message(address, []));
    assert.ok(a && b && c);
    assert.deepEqual(
      readPacket(bundle(a, bundle(b), c)).map(({ address }) => address),
      ['/a', '/b', '/c'],
    );
  });

  it('reads what it writes, and messages of programs that leave the types out', () => {
    assert.deepEqual(readPacket(writeMessage('/x', ['one', 'three'])), [
      { address: '/x', values: ['one', 'three'] },
    ]);
    assert.deepEqual(readPacket(Buffer.from('/ab\0')), [{ address: '/ab', values: [] }]);
  });

  it('refuses what is no packet, with the reason', () => {
    let deep = message('/a', []);
    for (let depth = 0; depth < 9; depth++) deep = bundle(deep);
    const cases: readonly (readonly [Buffer, RegExp])[] = [
      [Buffer.alloc(0), /has no end/],
      [Buffer.from('hello\0\0\0'), /must begin with a slash/],
      [Buffer.from('/a\0\0'.repeat(2)), /\/a has no types/],
      [message('/a', [['i', 1]]).subarray(0, -2), /cut short/],
      [Buffer.concat([Buffer.from('/a\0\0,b\0\0'), Buffer.of(0xff, 0xff, 0xff, 0xff)]), /cut short/],
      [Buffer.from('/a\0\0,x\0\0'), /unknown type "x"/],
      [bundle(message('/a', [])).subarray(0, -1), /a bundle is cut short/],
      [deep, /nested more than 8 deep/],
    ];
    for (const [packet, reason] of cases) {
      assert.throws(() => readPacket(packet), { name: 'OscError', message: reason });
    }
  });

  it('never fails in another way, whatever arrives', () => {
    const starts = ['', '/a\0\0', '/a\0\0,ifs', '#bundle\0', `#bundle\0${'\0'.repeat(8)}`];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 64 }), (start, rest) => {
        try {
          readPacket(Buffer.concat([Buffer.from(start), rest]));
        } catch (error) {
          assert.ok(error instanceof OscError, String(error));
        }
      }),
      { numRuns: cases(2000) },
    );
  });
});
