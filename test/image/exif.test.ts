import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exifOrientation, hasExifPrefix } from '../../src/image/exif.js';
import { exifBlock } from './files.js';

const SHORT = 3;
const LONG = 4;
const ORIENTATION = 0x0112;
const MAKE = 0x010f;
type Entry = readonly [tag: number, type: number, value: number];

/** Returns a TIFF block with one directory; `count` is its declared number of entries. */
function block(entries: readonly Entry[], { little = false, at = 8, count = entries.length } = {}): Buffer {
  const bytes = Buffer.alloc(at + 2 + 12 * entries.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, little);
  view.setUint32(4, at, little);
  view.setUint16(at, count, little);
  for (const [i, [tag, type, value]] of entries.entries()) {
    const entry = at + 2 + 12 * i;
    view.setUint16(entry, tag, little);
    view.setUint16(entry + 2, type, little);
    view.setUint32(entry + 4, 1, little);
    view.setUint16(entry + 8, value, little);
  }
  return bytes;
}

const upright: Entry = [MAKE, SHORT, 8];
const turned: Entry = [ORIENTATION, SHORT, 6];

describe('exifOrientation', () => {
  it('finds the entry at any position, in both byte orders', () => {
    for (const little of [false, true]) {
      for (let value = 0; value <= 10; value++) {
        const wanted = value >= 1 && value <= 8 ? value : 1;
        assert.equal(exifOrientation(block([[ORIENTATION, SHORT, value]], { little })), wanted);
      }
      assert.equal(exifOrientation(block([upright, turned], { little })), 6);
      assert.equal(exifOrientation(block([upright, upright, turned, upright], { little })), 6);
      assert.equal(exifOrientation(block([turned], { little, at: 77 })), 6);
      assert.equal(exifOrientation(block([upright], { little })), 1);
    }
  });

  it('uses the first orientation entry, which must be a SHORT', () => {
    assert.equal(exifOrientation(block([turned, [ORIENTATION, SHORT, 3]])), 6);
    assert.equal(exifOrientation(block([[ORIENTATION, LONG, 6]])), 1);
    assert.equal(exifOrientation(block([[ORIENTATION, LONG, 3], turned])), 1);
    assert.equal(exifOrientation(block([[ORIENTATION, SHORT, 9], turned])), 1);
  });

  it('reads no more entries than declared, and none that are cut off', () => {
    assert.equal(exifOrientation(block([upright, turned], { count: 1 })), 1);
    assert.equal(exifOrientation(block([turned], { count: 0 })), 1);
    assert.equal(exifOrientation(block([upright, turned], { count: 9 })), 6);
    for (let more = 0; more < 12; more++) {
      const cut = Buffer.concat([block([upright], { count: 9 }), block([turned]).subarray(10, 10 + more)]);
      assert.equal(exifOrientation(cut), 1, `${more} bytes of the second`);
    }
    const whole = Buffer.concat([block([upright], { count: 9 }), block([turned]).subarray(10, 22)]);
    assert.equal(exifOrientation(whole), 6);
  });

  it('returns 1 (upright) if the directory is outside the block', () => {
    for (const at of [13, 14, 15, 16, 17, 100, 0xffff_ffff]) {
      const bytes = Buffer.concat([block([]), Buffer.alloc(5)]);
      bytes.writeUInt32BE(at, 4);
      assert.equal(exifOrientation(bytes), 1, `${at}`);
    }
    for (let length = 0; length < 10; length++)
      assert.equal(exifOrientation(block([]).subarray(0, length)), 1);
  });

  it('returns 1 (upright) if the header is not a TIFF header', () => {
    for (const [at, value] of [
      [0, 0x49],
      [1, 0x49],
      [0, 0],
      [2, 1],
      [3, 43],
    ] as const) {
      const bytes = block([turned]);
      bytes[at] = value;
      assert.equal(exifOrientation(bytes), 1, `byte ${at}`);
    }
  });

  it('reads a block in the middle of a larger buffer', () => {
    for (const prefix of [false, true]) {
      const bytes = exifBlock(6, { prefix });
      const slab = Buffer.concat([Buffer.alloc(7, 0xee), bytes, Buffer.alloc(40, 0xee)]);
      assert.equal(exifOrientation(slab.subarray(7, 7 + bytes.length)), 6);
      assert.equal(exifOrientation(slab.subarray(7, 7 + bytes.length - 5)), 1, 'cut within the entry');
    }
  });
});

it('the prefix of Exif metadata is six bytes', () => {
  const prefix = Buffer.from('Exif\0\0', 'latin1');
  assert.equal(hasExifPrefix(prefix), true);
  assert.equal(hasExifPrefix(Buffer.concat([prefix, Buffer.of(1)])), true);
  for (let at = 0; at < prefix.length; at++) {
    const other = Buffer.from(prefix);
    other[at] = 0x55;
    assert.equal(hasExifPrefix(other), false, `byte ${at}`);
  }
  assert.equal(hasExifPrefix(prefix.subarray(0, 5)), false);
});
