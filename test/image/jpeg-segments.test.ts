import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readJpeg } from '../../src/image/jpeg.js';
import { exifBlock, jpegSegment } from './files.js';

const SOI = Buffer.of(0xff, 0xd8);
const EOI = Buffer.of(0xff, 0xd9);
/** Stands for compressed pixels; only a decoder would notice. */
const pixels = Buffer.of(1, 2, 0xff, 0, 3);

/** Returns a frame header for 513 x 260 pixels. */
function frame(marker = 0xc0, components = 3): Buffer {
  return jpegSegment(marker, Buffer.of(8, 1, 4, 2, 1, components, 1, 0x11, 0));
}

/** Returns a scan of this number of components. */
function scan(components = 3): Buffer {
  return Buffer.concat([jpegSegment(0xda, Buffer.of(components, 0, 0, 63, 0)), pixels]);
}

function file(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([SOI, ...parts, EOI]);
}

const essenceOf = async (jpeg: Buffer): Promise<Buffer> => Buffer.from((await readJpeg(jpeg).essence()).file);
const refused = { name: 'ImageError', message: /no frame header and scan/ };
const frameHeaders = [0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

describe('the header of a JPEG', () => {
  it('holds its size, in a frame of any kind', () => {
    for (const marker of frameHeaders) {
      const { width, height, orientation } = readJpeg(file(frame(marker), scan()));
      assert.deepEqual([width, height, orientation], [513, 260, 1], marker.toString(16));
    }
  });

  it('shows whether the fast decoder can be used: not for four components', () => {
    for (const [components, plain] of [
      [1, true],
      [3, true],
      [4, false],
    ] as const) {
      assert.equal(readJpeg(file(frame(0xc0, components), scan(components))).plain, plain);
    }
  });

  it('must be complete, and the first one counts', () => {
    const short = (length: number): Buffer =>
      jpegSegment(0xc0, Buffer.of(8, 1, 4, 2, 1, 3).subarray(0, length));
    assert.equal(readJpeg(file(short(6), scan())).width, 513);
    assert.throws(() => readJpeg(file(short(5), scan())), { name: 'ImageError', message: /header.*damaged/ });
    const other = jpegSegment(0xc0, Buffer.of(8, 0, 9, 0, 9, 3));
    assert.equal(readJpeg(file(frame(), other, scan())).width, 513);
  });

  it('has the first orientation in its Exif metadata', () => {
    const xmp = jpegSegment(0xe1, Buffer.from('http://ns.adobe.com/xap/1.0/\0'));
    const exif = [6, 3].map((orientation) => jpegSegment(0xe1, exifBlock(orientation)));
    assert.equal(readJpeg(file(xmp, ...exif, frame(), scan())).orientation, 6);
    const elsewhere = jpegSegment(0xe2, exifBlock(6));
    assert.equal(readJpeg(file(elsewhere, frame(), scan())).orientation, 1);
  });
});

describe('the file for the decoder', () => {
  it('has tables, JFIF and Adobe, and no other metadata', async () => {
    const content = Buffer.from('abc');
    const rest = [frame(), scan()];
    for (const marker of [0xc4, 0xcc, 0xdb, 0xdd, 0xe0, 0xee]) {
      const jpeg = file(jpegSegment(marker, content), ...rest);
      assert.deepEqual(await essenceOf(jpeg), jpeg, marker.toString(16));
    }
    for (const marker of [0xe1, 0xe2, 0xe3, 0xe8, 0xed, 0xef, 0xfe]) {
      const jpeg = file(jpegSegment(marker, content), ...rest);
      assert.deepEqual(await essenceOf(jpeg), file(...rest), marker.toString(16));
    }
  });

  it('keeps everything after a single scan, but with several scans ends at the end marker', async () => {
    const video = Buffer.from('a video');
    for (const [marker, components, several] of [
      [0xc0, 3, false],
      [0xc1, 3, false],
      [0xc0, 2, true],
      [0xc2, 3, true],
      [0xc6, 3, true],
      [0xce, 3, true],
      [0xc3, 3, false],
    ] as const) {
      const jpeg = file(frame(marker), scan(components));
      const followed = Buffer.concat([jpeg, video]);
      assert.deepEqual(await essenceOf(followed), several ? jpeg : followed, `${marker} ${components}`);
    }
    const empty = file(frame(), jpegSegment(0xda, Buffer.alloc(0)));
    assert.deepEqual(await essenceOf(Buffer.concat([empty, video])), empty);
    const cut = file(frame(0xc2), scan()).subarray(0, -2);
    assert.deepEqual(await essenceOf(cut), cut);
  });

  it('has at most twenty scans', async () => {
    const scans = (count: number): Buffer =>
      file(frame(0xc2), ...Array.from({ length: count }, () => scan(1)));
    assert.deepEqual(await essenceOf(scans(20)), scans(20));
    assert.throws(() => readJpeg(scans(21)), { name: 'ImageError', message: /more than 20 scans/ });
  });

  it('has its scans counted wherever they begin, even directly after one another', () => {
    const bare = jpegSegment(0xda, Buffer.of(1, 0, 0, 63, 0));
    const start = Buffer.of(0xff, 0xda);
    for (const next of [bare, start]) {
      const scans = (count: number): Buffer =>
        file(frame(0xc2), bare, ...Array.from({ length: count - 1 }, () => next));
      assert.equal(readJpeg(scans(20)).width, 513);
      assert.throws(() => readJpeg(scans(21)), { name: 'ImageError', message: /more than 20 scans/ });
    }
  });

  it('ends at the end marker if a scan does not declare its components', async () => {
    const jpeg = file(frame(0xc0, 1), jpegSegment(0xda, Buffer.alloc(0)));
    assert.deepEqual(await essenceOf(Buffer.concat([jpeg, Buffer.from('a video')])), jpeg);
  });

  it('starts with a colour profile that has an effect, its parts in the order of the file', async () => {
    // An empty profile is not sRGB's.
    const profile = Buffer.alloc(132);
    profile.write('acsp', 36, 'latin1');
    const part = (number: number, bytes: Buffer): Buffer =>
      jpegSegment(0xe2, Buffer.concat([Buffer.from('ICC_PROFILE\0', 'latin1'), Buffer.of(number, 3), bytes]));
    const [first, second, third] = [
      part(1, profile.subarray(0, 20)),
      part(2, profile.subarray(20, 90)),
      part(3, profile.subarray(90)),
    ] as const;
    const tables = jpegSegment(0xdb, Buffer.from('abc'));
    for (const parts of [
      [first, second, third],
      [second, third, first],
      [third, second, first],
    ]) {
      const comment = jpegSegment(0xfe, Buffer.from('none'));
      const jpeg = file(tables, ...parts, comment, frame(), scan());
      assert.equal(readJpeg(jpeg).plain, false);
      assert.deepEqual(await essenceOf(jpeg), file(...parts, tables, frame(), scan()));
    }
    const cut = file(tables, first, second, frame(), scan());
    assert.equal(readJpeg(cut).plain, true);
    assert.deepEqual(await essenceOf(cut), file(tables, frame(), scan()));
  });

  it('has no profile if its parts are empty', async () => {
    for (const length of [12, 13, 14]) {
      const content = Buffer.concat([Buffer.from('ICC_PROFILE\0', 'latin1'), Buffer.of(1, 1)], length);
      const jpeg = file(jpegSegment(0xe2, content), frame(), scan());
      assert.equal(readJpeg(jpeg).plain, true);
      assert.deepEqual(await essenceOf(jpeg), file(frame(), scan()));
    }
  });
});

describe('segments', () => {
  it('before the frame header must be of kinds that decoders skip by their length', () => {
    for (const marker of [0x01, 0xbf, 0xc8, 0xd0, 0xd7, 0xd9, 0xdc, 0xde, 0xdf, 0xf0, 0xfd]) {
      const jpeg = file(jpegSegment(marker, Buffer.alloc(2)), frame(), scan());
      assert.throws(() => readJpeg(jpeg), refused, marker.toString(16));
    }
    for (const marker of [0xc4, 0xcc, 0xdb, 0xdd, 0xe0, 0xe7, 0xef, 0xfe]) {
      assert.equal(readJpeg(file(jpegSegment(marker, Buffer.alloc(2)), frame(), scan())).width, 513);
    }
    assert.throws(() => readJpeg(file(Buffer.of(0), frame(), scan())), refused);
    assert.throws(() => readJpeg(file(scan(), frame())), refused, 'a scan without a frame');
  });

  it('after it may be of other kinds, with and without a length', () => {
    for (const marker of [0x01, 0xbf, 0xd0, 0xd7, 0xd8, 0xd9]) {
      assert.equal(readJpeg(file(frame(), Buffer.of(0xff, marker), scan())).width, 513, marker.toString(16));
    }
    for (const marker of [0xc8, 0xda + 1, 0xdc, 0xf0, 0xfd]) {
      // The apparent second scan inside it is skipped.
      const hiding = jpegSegment(marker, Buffer.of(0xff, 0xda, 0, 2));
      const jpeg = file(frame(0xc2), hiding, scan());
      assert.equal(readJpeg(jpeg).width, 513, marker.toString(16));
    }
    for (const stray of [Buffer.of(0), Buffer.of(1, 2, 3, 4, 5)]) {
      assert.equal(readJpeg(file(frame(), stray, scan())).width, 513);
      assert.throws(() => readJpeg(Buffer.concat([SOI, frame(), stray, Buffer.alloc(9)])), refused);
    }
  });

  it('may be padded', () => {
    const padding = Buffer.alloc(3, 0xff);
    assert.equal(readJpeg(file(padding, frame(), padding, scan())).width, 513);
  });

  it('have a length of at least two and are complete', () => {
    const bare = Buffer.of(0xff, 0xfe, 0, 2);
    assert.equal(readJpeg(file(bare, frame(), scan())).width, 513);
    assert.throws(() => readJpeg(file(Buffer.of(0xff, 0xfe, 0, 1), frame(), scan())), refused);
    const whole = Buffer.concat([SOI, frame(), Buffer.of(0xff, 0xda, 0, 2)]);
    assert.equal(readJpeg(whole).width, 513);
    for (let length = 0; length < whole.length; length++) {
      assert.throws(() => readJpeg(whole.subarray(0, length)), refused, `cut to ${length}`);
    }
  });
});
