import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeMessage, encodeMessage } from '@millrace/protocol';
import fc from 'fast-check';
import { Packr } from 'msgpackr';

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
  ['a rest', [0x80, 0x80], /left over/],
  ['a timestamp', [0xd6, 0xff, 0, 0, 0, 0], /extension types/],
  ['a regular expression', [0xc7, 0x02, 0x78, 0x90, 0x90], /extension types/],
  ['the byte that is never used', [0xc1], /extension types/],
  ['a text that is no UTF-8', [0x81, 0xa1, 0x61, 0xa2, 0xc3, 0x28], /not UTF-8/],
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

describe('decodeMessage', () => {
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

  it('takes the integers of any encoder', () => {
    // uint 64 and float 32, as other libraries choose them.
    const wide = [0x82, 0xa4, ...Buffer.from('type'), 0xa1, 0x78, 0xa1, 0x6e, 0xcf, 0, 0, 0, 0, 0, 0, 0, 9];
    assert.deepEqual(decodeMessage(Uint8Array.from(wide)), { type: 'x', n: 9 });
    const float = [0x82, 0xa4, ...Buffer.from('type'), 0xa1, 0x78, 0xa1, 0x6e, 0xca, 0x41, 0x10, 0, 0];
    assert.deepEqual(decodeMessage(Uint8Array.from(float)), { type: 'x', n: 9 });
  });

  it('gives back what was encoded, whatever the values', () => {
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
      { numRuns: 200 },
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
