import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mustApply } from '../../src/image/icc.js';

type Tags = Readonly<Record<string, Buffer>>;

function fixed(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeInt32BE(Math.round(value * 65_536), 4 * i);
  return bytes;
}

const xyz = (...values: readonly number[]): Buffer =>
  Buffer.concat([Buffer.from('XYZ \0\0\0\0'), fixed(...values)]);
/** Returns a parametric curve. */
const para = (form: number, ...values: readonly number[]): Buffer =>
  Buffer.concat([Buffer.from('para\0\0\0\0'), Buffer.of(0, form, 0, 0), fixed(...values)]);

function curv(count: number, value: (x: number) => number, type = 'curv'): Buffer {
  const bytes = Buffer.alloc(12 + 2 * count);
  bytes.write(type, 'latin1');
  bytes.writeUInt32BE(count, 8);
  for (let i = 0; i < count; i++)
    bytes.writeUInt16BE(Math.round(Math.min(1, value(i / (count - 1))) * 65_535), 12 + 2 * i);
  return bytes;
}

/** Returns a profile with these tags, followed by their data in the same order. */
function profile(tags: Tags, { colours = 'RGB ', kind = 'acsp', others = 0 } = {}): Buffer {
  const names = [...Array.from({ length: others }, () => 'none'), ...Object.keys(tags)];
  const head = Buffer.alloc(132 + 12 * names.length);
  head.write(colours, 16, 'latin1');
  head.write(kind, 36, 'latin1');
  head.writeUInt32BE(names.length, 128);
  let at = head.length;
  for (const [i, name] of names.entries()) {
    head.write(name, 132 + 12 * i, 'latin1');
    head.writeUInt32BE(at, 136 + 12 * i);
    at += tags[name]?.length ?? 0;
  }
  return Buffer.concat([head, ...Object.values(tags)]);
}

const toLinear = (x: number): number => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
const curve = para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045);
const srgb = {
  rXYZ: xyz(0.4361, 0.2225, 0.0139),
  gXYZ: xyz(0.3851, 0.7169, 0.0971),
  bXYZ: xyz(0.1431, 0.0606, 0.7141),
  rTRC: curve,
  gTRC: curve,
  bTRC: curve,
};
const other = { ...srgb, rXYZ: xyz(0.5, 0.2, 0.01) };

describe('the colours of sRGB', () => {
  it('need its three primaries, each number within a thousandth', () => {
    assert.equal(mustApply(profile(srgb)), false);
    for (const tag of ['rXYZ', 'gXYZ', 'bXYZ'] as const) {
      for (const at of [8, 12, 16]) {
        for (const [change, applied] of [
          [0.0009, false],
          [-0.0009, false],
          [0.0011, true],
          [-0.0011, true],
        ] as const) {
          const data = Buffer.from(srgb[tag]);
          data.writeInt32BE(data.readInt32BE(at) + Math.round(change * 65_536), at);
          assert.equal(mustApply(profile({ ...srgb, [tag]: data })), applied, `${tag}, ${at}: ${change}`);
        }
      }
    }
  });

  it('need its curve, in each channel, in any form', () => {
    const seven = para(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0);
    const lifted = para(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0.01, 0);
    for (const channel of ['rTRC', 'gTRC', 'bTRC']) {
      for (const [what, data, applied] of [
        ['seven parameters', seven, false],
        ['with an offset', lifted, true],
        ['another power', para(3, 2.2, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045), true],
        ['another slope', para(3, 2.4, 0.96, 0.055 / 1.055, 1 / 12.92, 0.04045), true],
        ['another intercept', para(3, 2.4, 1 / 1.055, 0.06, 1 / 12.92, 0.04045), true],
        ['a power alone', para(0, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045), true],
        ['many samples', curv(1024, toLinear), false],
        ['an odd number of samples', curv(1025, toLinear), false],
        ['the fewest samples accepted', curv(256, toLinear), false],
        ['too few samples', curv(255, toLinear), true],
        ['another curve', curv(1024, (x) => x ** 2.4), true],
        ['a close curve', curv(1024, (x) => toLinear(x) + 0.0018 * x), false],
        ['a curve not close enough', curv(1024, (x) => toLinear(x) + 0.005 * x), true],
        ['no curve', curv(1024, toLinear, 'data'), true],
      ] as const) {
        assert.equal(mustApply(profile({ ...srgb, [channel]: data })), applied, `${channel}: ${what}`);
      }
    }
  });

  it('need an RGB profile without a lookup table', () => {
    assert.equal(mustApply(profile(srgb, { colours: 'GRAY' })), true);
    assert.equal(mustApply(profile({ ...srgb, A2B0: Buffer.alloc(40) })), true);
  });

  it('need each tag in full, to the last byte', () => {
    for (const missing of Object.keys(srgb)) {
      const rest = Object.fromEntries(Object.entries(srgb).filter(([tag]) => tag !== missing));
      assert.equal(mustApply(profile(rest)), true, missing);
      const [tag, data] = [missing, srgb[missing as keyof typeof srgb]];
      const last = profile({ ...rest, [tag]: data });
      assert.equal(mustApply(last), false, missing);
      assert.equal(mustApply(last.subarray(0, -1)), true, `${missing}, cut`);
    }
  });

  it('need each curve in full, to the last byte', () => {
    const { bTRC: _, ...rest } = srgb;
    for (const bTRC of [
      para(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
      para(4, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045, 0, 0),
      curv(300, toLinear),
    ]) {
      const whole = profile({ ...rest, bTRC });
      assert.equal(mustApply(whole), false);
      // The last parameters are not read, but must be present.
      assert.equal(mustApply(whole.subarray(0, -1)), true);
      assert.equal(mustApply(whole.subarray(0, whole.length - bTRC.length + 11)), true);
    }
  });
});

describe('a profile is ignored', () => {
  it('if it is not an ICC profile, or is too short or too long', () => {
    assert.equal(mustApply(profile(other)), true);
    assert.equal(mustApply(profile(other, { kind: 'none' })), false);
    const bare = profile({});
    assert.equal(bare.length, 132);
    assert.equal(mustApply(bare), true);
    assert.equal(mustApply(bare.subarray(0, 131)), false);
    const limit = 4 * 1024 * 1024;
    const long = (length: number): Buffer => Buffer.concat([profile(other), Buffer.alloc(length)], length);
    assert.equal(mustApply(long(limit)), true);
    assert.equal(mustApply(long(limit + 1)), false);
  });

  it('if its tag table, which may be cut off, names a chain', () => {
    const cut = profile({});
    cut.writeUInt32BE(90, 128);
    assert.equal(
      mustApply(Buffer.concat([cut, Buffer.alloc(15)])),
      true,
      'without a tag of sRGB, it applies',
    );
    const chain = Buffer.from('D2B0\0\0\0\0\0\0\0\0');
    const behind = Buffer.concat([profile({}), chain]);
    assert.equal(mustApply(behind), true, 'bytes after the table are not a tag');
    behind.writeUInt32BE(1, 128);
    assert.equal(mustApply(behind), false);
  });

  it('if it has more than a hundred tags', () => {
    assert.equal(mustApply(profile(other, { others: 94 })), true);
    assert.equal(mustApply(profile(other, { others: 95 })), false);
    assert.equal(mustApply(profile(srgb, { others: 94 })), false);
  });

  it('if it has chains of any number of steps', () => {
    for (const tag of ['D2B0', 'D2B1', 'D2B2', 'D2B3']) {
      assert.equal(mustApply(profile({ ...other, [tag]: Buffer.alloc(20) })), false, tag);
    }
  });
});
