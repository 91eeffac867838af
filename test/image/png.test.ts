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

/** Chunks that decoders expand or keep. */
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
  it('keeps only header, palette, transparency and pixels', async () => {
    assert.deepEqual(await essenceOf(painted), bare);
    for (const behind of [false, true]) {
      assert.deepEqual(await essenceOf(withPngChunks(bare, extra, behind)), bare);
    }
    const palette = await sharp(tower).resize(96).png({ palette: true }).toBuffer();
    assert.ok((await essenceOf(palette)).includes('PLTE'));
  });

  it('keeps a colour profile that has an effect and declares its true size', async () => {
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

  it('refuses pixels that expand beyond the picture', async () => {
    const bomb = pngChunk('IDAT', deflateSync(Buffer.alloc(700 << 20), { level: 1 }));
    await assert.rejects(readPng(pngFile({ width: 64, height: 64 }, bomb)).essence(), {
      name: 'ImageError',
      message: /more data than its picture/,
    });
  });

  it('allows exactly 64 KiB more than the picture needs, at all sizes', async () => {
    for (let more = 0; more < 8; more++) {
      const kinds: readonly PngHeader[] = [
        { width: 401, height: 403, colour: 6 },
        { width: 401, height: 403, colour: 6, interlaced: true },
        { width: 1501, height: 901, colour: 0, depth: 4, interlaced: true },
        { width: 901, height: 707, colour: 3 },
        { width: 401, height: 407, colour: 2, depth: 16 },
        { width: 601, height: 607, colour: 4 },
      ];
      for (const kind of kinds) {
        const header = { ...kind, width: kind.width + more, height: kind.height + 3 * more };
        const most = pixelBytes(header) + 64 * 1024;
        const pngOf = (length: number): Buffer =>
          pngFile(header, pngChunk('IDAT', deflateSync(Buffer.alloc(length), { level: 0 })));
        assert.deepEqual(await essenceOf(pngOf(most)), pngOf(most), `${header.width}`);
        await assert.rejects(readPng(pngOf(most + 1)).essence(), /more data/, `${header.width}`);
      }
    }
    for (const [width, height] of [
      [3, 70_000],
      [70_000, 1],
      [4, 70_000],
      [70_000, 4],
    ] as const) {
      // In a picture this thin, some passes are empty.
      const header: PngHeader = { width, height, colour: 6, depth: 16, interlaced: true };
      const png = (length: number): Buffer =>
        pngFile(header, pngChunk('IDAT', deflateSync(Buffer.alloc(length), { level: 0 })));
      const most = pixelBytes(header) + 64 * 1024;
      assert.deepEqual(await essenceOf(png(most)), png(most), `${width}x${height}`);
      await assert.rejects(readPng(png(most + 1)).essence(), /more data/, `${width}x${height}`);
    }
  });

  it('does not check compressed pixels of up to 512 KiB', async () => {
    // Bytes after the end of the zlib data are ignored.
    const bomb = deflateSync(Buffer.alloc(1 << 20));
    const pngOf = (length: number): Buffer => {
      const data = Buffer.concat([bomb, Buffer.alloc(length)], length);
      const parts = [data.subarray(0, 1000), data.subarray(1000)].map((part) => pngChunk('IDAT', part));
      return pngFile({ width: 64, height: 64 }, ...parts);
    };
    const most = 512 * 1024;
    assert.deepEqual(await essenceOf(pngOf(most)), pngOf(most));
    await assert.rejects(readPng(pngOf(most + 1)).essence(), /more data/);
  });

  it('puts a profile after the header, and reports a profile with more than 8 bits', async () => {
    const wide = sharp(tower).withIccProfile('p3');
    for (const [picture, deepProfile] of [
      [wide.clone(), false],
      [wide.clone().toColourspace('rgb16'), true],
      [sharp(tower).toColourspace('rgb16'), false],
    ] as const) {
      const png = await picture.png().toBuffer();
      const essence = await readPng(png).essence();
      assert.equal(essence.deepProfile, deepProfile);
      const file = Buffer.from(essence.file);
      if (deepProfile)
        assert.ok(file.indexOf('IHDR') < file.indexOf('iCCP') && file.indexOf('iCCP') < file.indexOf('IDAT'));
    }
  });

  it('puts the first of several profiles directly after the header, whatever its name', async () => {
    // An empty profile is not sRGB's.
    const icc = Buffer.alloc(132);
    icc.writeUInt32BE(icc.length, 0);
    icc.write('acsp', 36, 'latin1');
    const named = (name: string, bytes = icc): Buffer =>
      pngChunk('iCCP', Buffer.concat([Buffer.from(`${name}\0\0`, 'latin1'), deflateSync(bytes)]));
    const [palette, pixels] = [pngChunk('PLTE', Buffer.alloc(3)), pngChunk('IDAT', Buffer.alloc(9))];
    const header = { width: 8, height: 8, colour: 3 };
    for (const name of ['', 'a', 'Display P3']) {
      const png = pngFile(header, palette, named(name), named('another'), pixels);
      assert.deepEqual(await essenceOf(png), pngFile(header, named(name), palette, pixels), name);
    }
    const wrong = Buffer.from(icc);
    wrong.writeUInt32BE(133, 0);
    const none = pngFile(header, palette, pixels);
    for (const chunk of [named('a', wrong), pngChunk('iCCP', Buffer.from('no end')), pngChunk('iCCp', icc)]) {
      assert.deepEqual(await essenceOf(pngFile(header, palette, chunk, pixels)), none);
    }
  });

  it('reads four-byte sizes', () => {
    const { width, height } = readPng(pngFile({ width: 0x0102_0304, height: 0x7fff_fffe }));
    assert.deepEqual([width, height], [0x0102_0304, 0x7fff_fffe]);
    const cut = { name: 'ImageError', message: 'the PNG is cut short' };
    for (const length of [0, 8, 15]) assert.throws(() => readPng(bare.subarray(0, length)), cut);
  });

  it('reads the size and the first of several orientations', () => {
    const turned = [6, 3].map((orientation) => pngChunk('eXIf', exifBlock(orientation, { prefix: false })));
    for (const [png, orientation] of [
      [bare, 1],
      [withPngChunks(bare, turned), 6],
    ] as const) {
      const { width, height, orientation: read } = readPng(png);
      assert.deepEqual([width, height, read], [96, 72, orientation]);
    }
  });

  it('reads a file that ends within its last chunk, and nothing after that chunk', async () => {
    const cut = bare.subarray(0, -4);
    assert.deepEqual(await essenceOf(cut), cut);
    const shorter = bare.subarray(0, -5);
    assert.deepEqual(await essenceOf(shorter), bare.subarray(0, -12));
    assert.deepEqual(await essenceOf(Buffer.concat([bare, pngChunk('IDAT', Buffer.alloc(10))])), bare);
  });

  it('refuses more chunks than any encoder writes, and invalid headers', () => {
    const many = Array.from({ length: 5000 }, () => pngChunk('IDAT', new Uint8Array(0)));
    assert.throws(() => readPng(withPngChunks(bare, many)), { message: /too many parts/ });
    for (const [colour, depth] of [0, 2, 3, 4, 6].flatMap((c) => [1, 2, 4, 8, 16].map((d) => [c, d]))) {
      assert.equal(readPng(pngFile({ width: 8, height: 9, colour, depth })).height, 9);
    }
    const other = pngFile({ width: 8, height: 8 });
    other.write('iHDR', 12, 'latin1');
    assert.throws(() => readPng(other), { name: 'ImageError', message: /header/ });
    const long = Buffer.concat([
      bare.subarray(0, 8),
      pngChunk('IHDR', Buffer.concat([bare.subarray(16, 29), Buffer.alloc(1)])),
    ]);
    assert.throws(() => readPng(long), { name: 'ImageError', message: /header/ });
    for (const header of [
      { width: 8, height: 8, colour: 5 },
      { width: 8, height: 8, colour: 1 },
      { width: 8, height: 8, depth: 7 },
      { width: 8, height: 8, depth: 0 },
    ]) {
      assert.throws(() => readPng(pngFile(header)), { name: 'ImageError', message: /header/ });
    }
    assert.throws(() => readPng(bare.subarray(0, 20)), { name: 'ImageError' });
  });
});

/** Returns the number of bytes of the pixel data, counted pass by pass if interlaced. */
function pixelBytes({ width, height, depth = 8, colour = 2, interlaced = false }: PngHeader): number {
  const bits = depth * ({ 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colour] ?? 0);
  if (!interlaced) return height * (1 + Math.ceil((width * bits) / 8));
  // The pass of each pixel in a block of eight by eight (PNG, 8.2).
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
