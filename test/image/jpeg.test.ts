import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { readJpeg } from '../../src/image/jpeg.js';
import { exifBlock, jpegSegment, withSegments } from './files.js';
import { tower } from './pictures.js';

const scan = Buffer.of(0xff, 0xda);
const progressive = await sharp(tower).jpeg({ progressive: true }).toBuffer();
const refining = progressive.subarray(progressive.lastIndexOf(scan), -2);

/** Returns a progressive JPEG that repeats its last scan. */
const repeating = (times: number): Buffer =>
  Buffer.concat([
    progressive.subarray(0, -2),
    ...Array.from({ length: times }, () => refining),
    Buffer.of(0xff, 0xd9),
  ]);
const essenceOf = async (jpeg: Buffer): Promise<Buffer> => Buffer.from((await readJpeg(jpeg).essence()).file);

describe('readJpeg', () => {
  it('reads size and orientation without decoding', () => {
    const { width, height, orientation, plain } = readJpeg(
      withSegments(tower, jpegSegment(0xe1, exifBlock(8))),
    );
    assert.deepEqual([width, height, orientation, plain], [512, 384, 8, true]);
  });

  it('passes on the file itself if there is nothing to leave out', async () => {
    const bare = await sharp(tower).jpeg().toBuffer();
    const { file } = await readJpeg(bare).essence();
    assert.deepEqual(
      [file.buffer, file.byteOffset, file.length],
      [bare.buffer, bare.byteOffset, bare.length],
    );
  });

  it('leaves out text, thumbnails and metadata anywhere before the first scan', async () => {
    const bare = await sharp(tower).jpeg().toBuffer();
    const extra = [
      jpegSegment(0xe1, exifBlock(6)),
      jpegSegment(0xe1, Buffer.from('http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>')),
      jpegSegment(0xe2, Buffer.from('MPF\0 further images')),
      jpegSegment(0xed, Buffer.from('Photoshop 3.0\0')),
      jpegSegment(0xfe, Buffer.from('a comment')),
    ];
    assert.deepEqual(await essenceOf(withSegments(bare, ...extra)), bare);
    const at = bare.indexOf(scan);
    const late = Buffer.concat([bare.subarray(0, at), ...extra, bare.subarray(at)]);
    assert.deepEqual(await essenceOf(late), bare);
  });

  it('keeps only a colour profile that has an effect', async () => {
    const p3 = await sharp(tower).withIccProfile('p3').jpeg().toBuffer();
    assert.equal(readJpeg(p3).plain, false);
    assert.ok((await essenceOf(p3)).includes('ICC_PROFILE'));
    const srgb = await sharp(tower).withIccProfile('srgb').jpeg().toBuffer();
    assert.equal(readJpeg(srgb).plain, true);
    assert.ok(!(await essenceOf(srgb)).includes('ICC_PROFILE'));
  });

  it('joins a profile by the numbers of its parts', async () => {
    const { icc = Buffer.alloc(0) } = await sharp(
      await sharp(tower).withIccProfile('srgb').jpeg().toBuffer(),
    ).metadata();
    const part = (number: number, bytes: Buffer): Buffer =>
      jpegSegment(0xe2, Buffer.concat([Buffer.from('ICC_PROFILE\0'), Buffer.of(number, 2), bytes]));
    const [first, second] = [part(1, icc.subarray(0, 200)), part(2, icc.subarray(200))];
    assert.equal(readJpeg(withSegments(tower, second, first)).plain, true);
    assert.equal(readJpeg(withSegments(tower, first)).plain, false);
  });

  it('refuses more than 20 scans, however they are hidden', async () => {
    const expected = { name: 'ImageError', message: /more than 20 scans/ };
    assert.equal((await essenceOf(repeating(5))).length, repeating(5).length);
    assert.throws(() => readJpeg(repeating(15)), expected);
    // The decoder gets nothing after an apparent end of the picture.
    const hiding = jpegSegment(0xfe, Buffer.of(0xff, 0xd9));
    const first = progressive.indexOf(scan);
    const second = progressive.indexOf(scan, first + 2);
    const hidden = Buffer.concat([repeating(15).subarray(0, second), hiding, repeating(15).subarray(second)]);
    assert.ok((await essenceOf(hidden)).length <= second + hiding.length);
  });

  it('does not mistake bytes in metadata or after the picture for scans', async () => {
    const lookalikes = Buffer.alloc(60_000, scan);
    const metadata = withSegments(progressive, jpegSegment(0xfe, lookalikes));
    assert.deepEqual(await essenceOf(metadata), await essenceOf(progressive));
    const followed = Buffer.concat([progressive, lookalikes]);
    assert.deepEqual(await essenceOf(followed), await essenceOf(progressive));
  });

  it('refuses more segments than any encoder writes', () => {
    const many = Array.from({ length: 20_000 }, () => jpegSegment(0xfe, new Uint8Array(0)));
    const expected = { name: 'ImageError', message: /too many parts/ };
    assert.throws(() => readJpeg(withSegments(tower, ...many)), expected);
    assert.throws(() => readJpeg(withSegments(tower, Buffer.alloc(1 << 20, 0xff))), expected);
  });
});
