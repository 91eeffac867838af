import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.js';
import { mustApply } from '../../src/image/icc.js';
import { meanColour, meanDifference } from './pictures.js';

const paint = sharp({ create: { width: 64, height: 64, channels: 3, background: { r: 200, g: 60, b: 30 } } });

async function profileOf(name: string): Promise<Buffer> {
  const { icc } = await sharp(await paint.clone().withIccProfile(name).png().toBuffer()).metadata();
  assert.ok(icc);
  return icc;
}

const [srgb, p3] = await Promise.all([profileOf('srgb'), profileOf('p3')]);

/** Returns the offset of a tag's data. */
function dataOf(profile: Buffer, tag: string): number {
  return profile.readUInt32BE(profile.indexOf(tag, 128) + 4);
}

/** Returns a modified copy of the sRGB profile. */
function changed(change: (profile: Buffer) => void): Buffer {
  const copy = Buffer.from(srgb);
  change(copy);
  return copy;
}

describe('mustApply', () => {
  it('distinguishes sRGB from other colours', () => {
    assert.equal(mustApply(srgb), false);
    assert.equal(mustApply(p3), true);
    assert.equal(mustApply(changed((icc) => icc.writeInt32BE(0.6 * 65_536, dataOf(icc, 'rXYZ') + 8))), true);
    assert.equal(mustApply(changed((icc) => icc.writeInt32BE(1.8 * 65_536, dataOf(icc, 'rTRC') + 12))), true);
  });

  it('recognises the curve in the form of browsers, and as samples', () => {
    // The parameters of the profile in Chromium's JPEGs.
    const seven = Buffer.from(
      '7061726100000000000400000002666600 00f2a700000d59000013d000000a5b0000000000000000'.replace(' ', ''),
      'hex',
    );
    const sampled = Buffer.alloc(12 + 2 * 1024);
    sampled.write('curv', 'latin1');
    sampled.writeUInt32BE(1024, 8);
    for (let index = 0; index < 1024; index++) {
      const x = index / 1023;
      const linear = x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
      sampled.writeUInt16BE(Math.round(linear * 65_535), 12 + 2 * index);
    }
    for (const curve of [seven, sampled]) {
      const icc = Buffer.concat([srgb, curve]);
      for (const tag of ['rTRC', 'gTRC', 'bTRC']) icc.writeUInt32BE(srgb.length, icc.indexOf(tag, 128) + 4);
      assert.equal(mustApply(icc), false);
      assert.equal(mustApply(icc.subarray(0, -8)), true);
    }
  });

  it('does not apply profiles that are damaged, too long, or contain chains of any number of steps', () => {
    assert.equal(mustApply(p3.subarray(0, 100)), false);
    assert.equal(mustApply(Buffer.alloc(4 << 20)), false);
    assert.equal(mustApply(Buffer.concat([p3, Buffer.alloc(4 << 20)])), false);
    const chain = Buffer.from(p3);
    chain.write('D2B0', chain.indexOf('cprt', 128), 'latin1');
    assert.equal(mustApply(chain), false);
  });
});

describe('decodeImage', () => {
  it('returns sRGB for the colours of another profile, at any depth and in any format', async () => {
    const plain = await decodeImage(await paint.clone().png().toBuffer(), { maxPixels: 5000 });
    const wide = paint.clone().withIccProfile('p3');
    const files = {
      png: wide.clone().png(),
      'png of 16 bits': wide.clone().toColourspace('rgb16').png(),
      'png of 16 bits, sRGB': paint.clone().withIccProfile('srgb').toColourspace('rgb16').png(),
      jpeg: wide.clone().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }),
      webp: wide.clone().webp({ quality: 100 }),
    };
    for (const [name, file] of Object.entries(files)) {
      for (const box of [undefined, { width: 16, height: 16, fit: 'cover' as const }]) {
        const image = await decodeImage(await file.clone().toBuffer(), {
          maxPixels: 5000,
          ...(box && { box }),
        });
        const [r, g, b] = meanColour(image);
        const off = Math.max(Math.abs(r - 200), Math.abs(g - 60), Math.abs(b - 30));
        assert.ok(off < 2.5, `${name}: ${r}, ${g}, ${b}`);
        if (!box) assert.ok(meanDifference(image, plain) < 2.5, name);
      }
    }
  });
});
