import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeMessage, encodeMessage } from '@millrace/protocol';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { cases } from '../support/properties.js';

const refused: readonly (readonly [what: string, bytes: readonly number[], message: RegExp])[] = [
  ['nothing', [], /cut short/],
  ['a map without its values', [0x82, 0xa1, 0x61], /cut short/],
  ['a string that is longer than the message', [0xdb, 0xff, 0xff, 0xff, 0xff, 0x61], /cut short/],
  ['a header without its length', [0xdd, 0xff], /cut short/],
  ['an array of four billion values', [0xdd, 0xff, 0xff, 0xff, 0xff], /cut short/],
  [
    'many small maps',
    [0xdc, 0xff, 0xff, ...Array.from({ length: 0xffff }, () => 0x80)],
    /more than 4096 values/,
  ],
  ['a tower of arrays', [...Array.from({ length: 100_000 }, () => 0x91), 0xc0], /nested deeper than 8/],
  ['bytes after the message', [0x80, 0x80], /left over/],
  ['a timestamp', [0xd6, 0xff, 0, 0, 0, 0], /extension types/],
  ['a regular expression', [0xc7, 0x02, 0x78, 0x90, 0x90], /extension types/],
  ['the reserved byte 0xc1', [0xc1], /extension types/],
  ['a text that is not UTF-8', [0x81, 0xa1, 0x61, 0xa2, 0xc3, 0x28], /not UTF-8/],
  ['a number as a key', [0x81, 0x01, 0x02], /a key of a map is not a string/],
  ['nil as a key', [0x81, 0xc0, 0x02], /not a string/],
  ['a boolean as a key', [0x81, 0xc3, 0x02], /not a string/],
  ['binary as a key', [0x81, 0xc4, 0x01, 0x61, 0x02], /not a string/],
  ['a map as a key', [0x81, 0x80, 0x02], /not a string/],
  ['an empty list as a key', [0x81, 0x90, 0x02], /not a string/],
  ['a key twice', [0x82, 0xa1, 0x61, 0x01, 0xa1, 0x61, 0x02], /has the key "a" twice/],
  ['a key twice in two formats', [0x82, 0xa1, 0x61, 0x01, 0xd9, 0x01, 0x61, 0x02], /has the key "a" twice/],
  ['a number as a key further in', [0x81, 0xa1, 0x61, 0x92, 0x01, 0x81, 0x01, 0x02], /not a string/],
  ['a number', [0x07], /not a MessagePack map/],
  ['a map without a type', [0x80], /not a MessagePack map/],
];

const text = (value: string): number[] => [0xa0 + value.length, ...Buffer.from(value)];
const zeros = (length: number): number[] => Array.from({ length }, () => 0);

/** Returns a message with this value in it. */
function messageWith(...value: readonly number[]): Uint8Array {
  return Uint8Array.of(0x82, ...text('type'), ...text('x'), ...text('n'), ...value);
}

/** A value in each format, with its meaning. */
const formats: readonly (readonly [bytes: readonly number[], value: unknown])[] = [
  [[0x7f], 127],
  [[0xe0], -32],
  [[0xff], -1],
  [[0x80], {}],
  [[0x81, ...text('a'), 5], { a: 5 }],
  [
    [0x8f, ...zeros(15).flatMap((_, i) => [0xa1, 0x61 + i, i])],
    Object.fromEntries(zeros(15).map((_, i) => [String.fromCharCode(0x61 + i), i])),
  ],
  [[0x90], []],
  [[0x9f, ...zeros(15)], zeros(15)],
  [[0xa0], ''],
  [[0xbf, ...Buffer.from('b'.repeat(31))], 'b'.repeat(31)],
  [[0xc0], null],
  [[0xc2], false],
  [[0xc3], true],
  [[0xc4, 2, 7, 8], Uint8Array.of(7, 8)],
  [[0xc5, 1, 0, ...zeros(256)], new Uint8Array(256)],
  [[0xc6, 0, 0, 0, 1, 7], Uint8Array.of(7)],
  [[0xca, 0x3f, 0x80, 0, 0], 1],
  [[0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0], 1],
  [[0xcc, 200], 200],
  [[0xcd, 1, 0], 256],
  [[0xce, 0, 1, 0, 0], 65_536],
  [[0xcf, 0, 0, 0, 1, 0, 0, 0, 0], 2 ** 32],
  [[0xd0, 0x80], -128],
  [[0xd1, 0x80, 0], -32_768],
  [[0xd2, 0x80, 0, 0, 0], -(2 ** 31)],
  [[0xd3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], -(2 ** 32)],
  [[0xd9, 1, 0x62], 'b'],
  [[0xda, 1, 0, ...Buffer.from('b'.repeat(256))], 'b'.repeat(256)],
  [[0xdb, 0, 0, 0, 2, 0x62, 0x63], 'bc'],
  [[0xdc, 1, 0, ...zeros(256)], zeros(256)],
  [
    [0xdd, 0, 0, 0, 2, 5, 6],
    [5, 6],
  ],
  [[0xde, 0, 1, ...text('a'), 5], { a: 5 }],
  [[0xdf, 0, 0, 0, 1, ...text('a'), 5], { a: 5 }],
];

/** Extension types of every length. */
const extensions: readonly (readonly number[])[] = [
  [0xc7, 0, 1],
  [0xc8, 0, 0, 1],
  [0xc9, 0, 0, 0, 0, 1],
  [0xd4, 1, ...zeros(1)],
  [0xd5, 1, ...zeros(2)],
  [0xd6, 1, ...zeros(4)],
  [0xd7, 1, ...zeros(8)],
  [0xd8, 1, ...zeros(16)],
];

describe('decodeMessage', () => {
  for (const [bytes, value] of formats) {
    it(`takes a value of format 0x${bytes[0].toString(16)}, complete and without more bytes`, () => {
      assert.deepEqual(decodeMessage(messageWith(...bytes)), { type: 'x', n: value });
      assert.throws(() => decodeMessage(messageWith(...bytes.slice(0, -1))), /cut short/);
      assert.throws(() => decodeMessage(messageWith(...bytes, 0)), /left over/);
    });
  }

  for (const bytes of extensions) {
    it(`refuses extension type 0x${bytes[0].toString(16)}`, () => {
      assert.throws(() => decodeMessage(messageWith(...bytes)), /extension types/);
    });
  }

  it('checks texts of every length for UTF-8', () => {
    for (const head of [[0xa1], [0xd9, 1], [0xda, 0, 1], [0xdb, 0, 0, 0, 1]]) {
      assert.throws(() => decodeMessage(messageWith(...head, 0xff)), /not UTF-8/);
    }
    assert.deepEqual(
      decodeMessage(messageWith(0xc4, 1, 0xff)).n,
      Uint8Array.of(0xff),
      'bytes need not be UTF-8',
    );
  });

  it('takes 4096 values and eight levels, and no more', () => {
    // The message itself, two keys, and a value beside it.
    const values = (count: number): Uint8Array =>
      messageWith(0xdc, count >> 8, count & 0xff, ...zeros(count));
    const others = 5;
    decodeMessage(values(4096 - others));
    assert.throws(() => decodeMessage(values(4097 - others)), /more than 4096 values/);
    const tower = (height: number): Uint8Array =>
      messageWith(...Array.from({ length: height }, () => 0x91), 0);
    decodeMessage(tower(7));
    assert.throws(() => decodeMessage(tower(8)), /nested deeper than 8/);
  });

  for (const [what, bytes, message] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(() => decodeMessage(Uint8Array.from(bytes)), { name: 'TypeError', message });
    });
  }

  it('takes the same key in several maps, and strings that are values twice', () => {
    const packr = new Packr({ useRecords: false, variableMapSize: true });
    const message = { type: 'x', a: [{ type: 'x', a: 'a' }, { a: 'a' }, 'a', 'a'], '': { '': 1 } };
    assert.deepEqual(decodeMessage(new Uint8Array(packr.pack(message))), message);
  });

  it('lets no key reach a prototype', () => {
    const key = [0xa9, ...Buffer.from('__proto__')];
    const type = [0xa4, ...Buffer.from('type'), 0xa1, 0x78];
    const hostile = [0x82, ...type, ...key, 0x81, 0xa8, ...Buffer.from('polluted'), 0xc3];
    const message = decodeMessage(Uint8Array.from(hostile));
    assert.equal(Object.getPrototypeOf(message), Object.prototype);
    assert.equal('polluted' in message, false);
    assert.equal('polluted' in {}, false);
  });

  it('accepts the integers of any encoder', () => {
    // uint 64 and float 32, as other libraries choose them.
    const wide = [0x82, 0xa4, ...Buffer.from('type'), 0xa1, 0x78, 0xa1, 0x6e, 0xcf, 0, 0, 0, 0, 0, 0, 0, 9];
    assert.deepEqual(decodeMessage(Uint8Array.from(wide)), { type: 'x', n: 9 });
    const float = [0x82, 0xa4, ...Buffer.from('type'), 0xa1, 0x78, 0xa1, 0x6e, 0xca, 0x41, 0x10, 0, 0];
    assert.deepEqual(decodeMessage(Uint8Array.from(float)), { type: 'x', n: 9 });
  });

  it('returns the encoded values, whatever they are', () => {
    const packr = new Packr({ useRecords: false, variableMapSize: true });
    const leaf = fc.oneof(
      fc.boolean(),
      fc.constant(null),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value)),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.uint8Array({ maxLength: 70_000 }),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 20 }),
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          tie('value'),
          { maxKeys: 20, noNullPrototype: true },
        ),
      ),
    }));
    fc.assert(
      fc.property(value, (value) => {
        const message = { type: 'anything', value };
        assert.deepEqual(decodeMessage(new Uint8Array(packr.pack(message))), message);
      }),
      { numRuns: cases(200) },
    );
  });

  it('throws nothing but TypeError, whatever the bytes', () => {
    const bytes = encodeMessage({ type: 'update', request: 1, parameters: { t_index_list: [1, 2, 3] } });
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
        const damaged = bytes.with(at, value).subarray(0, length);
        try {
          assert.equal(typeof decodeMessage(damaged).type, 'string');
        } catch (error) {
          assert.ok(error instanceof TypeError);
        }
      }),
    );
  });
});
