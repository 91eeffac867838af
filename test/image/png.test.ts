import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { readPng } from '../../src/image/png.js';
import { exifBlock, pngChunk, pngFile, type PngHeader, withPngChunks } from './files.js';
import { tower } from './pictures.js';

const painted = await sharp(tower).resize(96, 72).png().toBuffer();
const bare = pngFile(
  { width: 96, height: 72 },
  painted.subarray(painted.indexOf('IDAT') - 4, painted.indexOf('IEND') - 4),
);
const essenceOf = async (png: Buffer): Promise<Buffer> => Buffer.from((await readPng(png).essence()).file);

/** Chunks that decoders expand, or keep. */
const extra = [
  pngChunk('tEXt', Buffer.from('Title\0text')),
  pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), deflateSync(Buffer.alloc(1000, 'a'))])),
  pngChunk(
    'iTXt',
    Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0'), deflateSync(Buffer.alloc(1000, 'a'))]),
  ),
  pngChunk('eXIf', exifBlock(6, { prefix: false })),
  pngChunk('sPLT', Buffer.alloc(100)),
  pngChunk('acTL', Buffer.from([0, 0, 0, 2, 0, 0, 0, 0])),
  pngChunk('fdAT', Buffer.alloc(100)),
  pngChunk('prVt', Buffer.alloc(100)),
];

describe('readPng', () => {
  it('leaves out everything but header, palette, transparency and pixels', async () => {
    assert.deepEqual(await essenceOf(painted), bare);
    for (const behind of [false, true]) {
      assert.deepEqual(await essenceOf(withPngChunks(bare, extra, behind)), bare);
    }
    const palette = await sharp(tower).resize(96).png({ palette: true }).toBuffer();
    assert.ok((await essenceOf(palette)).includes('PLTE'));
  });

  it('keeps a colour profile that changes something, of a size that is true', async () => {
    const p3 = await sharp(tower).withIccProfile('p3').png().toBuffer();
    assert.ok((await essenceOf(p3)).includes('iCCP'));
    const srgb = await sharp(tower).withIccProfile('srgb').png().toBuffer();
    assert.ok(!(await essenceOf(srgb)).includes('iCCP'));
    const { icc = Buffer.alloc(0) } = await sharp(p3).metadata();
    const bomb = Buffer.concat([icc, Buffer.alloc(20 << 20)]);
    for (const profile of [bomb, icc.subarray(0, 300), Buffer.alloc(0)]) {
      const chunk = pngChunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), deflateSync(profile)]));
      assert.ok(!(await essenceOf(withPngChunks(bare, [chunk]))).includes('iCCP'));
    }
  });

  it('refuses pixels that expand beyond the picture, and no others', async () => {
    const expected = { name: 'ImageError', message: /more data than its picture/ };
    const bomb = pngChunk('IDAT', deflateSync(Buffer.alloc(700 << 20)));
    await assert.rejects(readPng(pngFile({ width: 64, height: 64 }, bomb)).essence(), expected);
    const headers: readonly PngHeader[] = [
      { width: 1021, height: 517, colour: 6, depth: 16 },
      { width: 1021, height: 517, colour: 6, depth: 16, interlaced: true },
      { width: 3001, height: 601, colour: 0, depth: 4, interlaced: true },
      { width: 1021, height: 1017, colour: 3 },
    ];
    for (const header of headers) {
      const exact = pixelBytes(header);
      for (const [surplus, refused] of [
        [0, false],
        [100_000, true],
      ] as const) {
        // Stored, so that it is long enough to be looked at.
        const pixels = deflateSync(Buffer.alloc(exact + surplus), { level: 0 });
        const png = pngFile(header, pngChunk('IDAT', pixels));
        assert.ok(pixels.length > 600_000);
        if (refused) await assert.rejects(readPng(png).essence(), expected);
        else assert.deepEqual(await essenceOf(png), png);
      }
    }
  });

  it('refuses more chunks than any encoder writes, and headers that are not right', () => {
    const many = Array.from({ length: 5000 }, () => pngChunk('IDAT', new Uint8Array(0)));
    assert.throws(() => readPng(withPngChunks(bare, many)), { message: /too many parts/ });
    for (const header of [
      { width: 8, height: 8, colour: 5 },
      { width: 8, height: 8, depth: 7 },
    ]) {
      assert.throws(() => readPng(pngFile(header)), { name: 'ImageError', message: /header/ });
    }
    assert.throws(() => readPng(bare.subarray(0, 20)), { name: 'ImageError' });
  });
});

/** Length of the pixels, counted one by one as they are interlaced. */
function pixelBytes({ width, height, depth = 8, colour = 2, interlaced = false }: PngHeader): number {
  const bits = depth * ({ 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colour] ?? 0);
  if (!interlaced) return height * (1 + Math.ceil((width * bits) / 8));
  // Which pass each pixel of a block of eight by eight belongs to (PNG, 8.2).
  const block = [
    '16462646',
    '77777777',
    '56565656',
    '77777777',
    '36463646',
    '77777777',
    '56565656',
    '77777777',
  ];
  let sum = 0;
  for (let pass = 1; pass <= 7; pass++) {
    for (let y = 0; y < height; y++) {
      const row = block[y % 8] ?? '';
      let columns = 0;
      for (let x = 0; x < width; x++) if (row[x % 8] === String(pass)) columns += 1;
      if (columns > 0) sum += 1 + Math.ceil((columns * bits) / 8);
    }
  }
  return sum;
}
