import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import {
  exifBlock,
  extendedWebp,
  jpegSegment,
  pngChunk,
  pngFile,
  type PngHeader,
  webpChunk,
  withPngChunks,
  withSegments,
} from './files.js';
import { tower } from './pictures.js';

const script = fileURLToPath(new URL('decode-worker.js', import.meta.url));
const run = promisify(execFile);
const MiB = 1 << 20;
const side = 2048;
const maxPixels = side * side;
const small = '64x64';
const large = `${side}x${side}`;

const photo = (size: number) => sharp(tower).resize(size, size, { fit: 'fill' });
const times = (count: number, part: Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => part));

/** Returns a PNG of one colour. */
function flatPng(header: PngHeader, bytesPerPixel: number): Buffer {
  // Some extra for the rows of the seven interlacing passes.
  const length = header.height * (2 + Math.ceil(header.width * bytesPerPixel)) + 4096;
  return pngFile(header, pngChunk('IDAT', deflateSync(Buffer.alloc(length), { level: 1 })));
}

/** Returns Exif metadata in which every entry is the same long text. */
function repeatingExif(entries: number, length: number): Buffer {
  const start = exifBlock(1, { little: true }).subarray(0, 14);
  start.writeUInt32LE(8, 10);
  const directory = Buffer.alloc(2 + 12 * entries + 4);
  directory.writeUInt16LE(entries, 0);
  for (let index = 0; index < entries; index++) {
    const at = 2 + 12 * index;
    directory.writeUInt16LE([0x010e, 0x010f, 0x0110, 0x0131, 0x013b, 0x8298][index % 6] ?? 0, at);
    directory.writeUInt16LE(2, at + 2);
    directory.writeUInt32LE(length, at + 4);
    directory.writeUInt32LE(8 + directory.length, at + 8);
  }
  return Buffer.concat([start, directory, Buffer.alloc(length, 'a')]);
}

const text = deflateSync(Buffer.alloc(8 * MiB, 'a'), { level: 9 });
const zTXt = pngChunk('zTXt', Buffer.concat([Buffer.from('Comment\0\0'), text]));
const iTXt = pngChunk('iTXt', Buffer.concat([Buffer.from('Comment\0\x01\0\0\0'), text]));
const xmp = pngChunk('iTXt', Buffer.concat([Buffer.from('XML:com.adobe.xmp\0\x01\0\0\0'), text]));
const iCCP = pngChunk('iCCP', Buffer.concat([Buffer.from('icc\0\0'), deflateSync(Buffer.alloc(512 * MiB))]));

/** Returns an animation of large pictures, each of another colour. */
async function animation(): Promise<Buffer> {
  const pictures = ['#c00', '#0c0', '#00c', '#cc0', '#0cc', '#c0c'].map((background) =>
    sharp({ create: { width: side, height: side, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  const join = { animated: true };
  return sharp(await Promise.all(pictures), { join })
    .webp({ lossless: true, effort: 0 })
    .toBuffer();
}

interface Case {
  readonly what: string;
  readonly outcome: string;
  readonly file: () => Buffer | Promise<Buffer>;
}

const ordinary: readonly Case[] = [
  { what: 'a JPEG', outcome: large, file: () => photo(side).jpeg().toBuffer() },
  {
    what: 'a progressive JPEG',
    outcome: large,
    file: () => photo(side).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
  },
  { what: 'a CMYK JPEG', outcome: large, file: () => photo(side).toColourspace('cmyk').jpeg().toBuffer() },
  {
    what: 'a JPEG of other colours',
    outcome: large,
    file: () => photo(side).withIccProfile('p3').jpeg().toBuffer(),
  },
  {
    what: 'a sideways JPEG',
    outcome: large,
    file: () => photo(side).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
  },
  { what: 'a PNG', outcome: large, file: () => photo(side).png({ compressionLevel: 1 }).toBuffer() },
  {
    what: 'a PNG of one bit a pixel',
    outcome: large,
    file: () => flatPng({ width: side, height: side, depth: 1, colour: 0 }, 1 / 8),
  },
  {
    what: 'a PNG of 16 bits with alpha, interlaced',
    outcome: large,
    file: () => flatPng({ width: side, height: side, depth: 16, colour: 6, interlaced: true }, 8),
  },
  {
    what: 'a lossy WebP with alpha',
    outcome: large,
    file: () => photo(side).ensureAlpha(0.5).webp({ effort: 0 }).toBuffer(),
  },
  {
    what: 'a lossless WebP of one colour',
    outcome: large,
    file: () =>
      sharp({ create: { width: side, height: side, channels: 3, background: '#123' } })
        .webp({ lossless: true })
        .toBuffer(),
  },
];

const hostile: readonly Case[] = [
  {
    what: 'a PNG with compressed texts',
    outcome: small,
    file: async () => withPngChunks(await photo(64).png().toBuffer(), [times(60, zTXt)]),
  },
  {
    what: 'a PNG with compressed texts after its pixels',
    outcome: small,
    file: async () => withPngChunks(await photo(64).png().toBuffer(), [times(60, zTXt)], true),
  },
  {
    what: 'a PNG with compressed international texts',
    outcome: small,
    file: async () => withPngChunks(await photo(64).png().toBuffer(), [times(60, iTXt), times(60, xmp)]),
  },
  {
    what: 'a PNG with an endless profile',
    outcome: small,
    file: async () => withPngChunks(await photo(64).png().toBuffer(), [iCCP]),
  },
  {
    what: 'a PNG of endless pixels',
    outcome: 'refused',
    file: () => pngFile({ width: 64, height: 64 }, pngChunk('IDAT', deflateSync(Buffer.alloc(700 * MiB)))),
  },
  {
    what: 'a PNG of countless chunks',
    outcome: 'refused',
    file: async () =>
      withPngChunks(await photo(64).png().toBuffer(), [times(500_000, pngChunk('prVt', Buffer.alloc(0)))]),
  },
  {
    what: 'a JPEG with repeating metadata',
    outcome: small,
    file: async () =>
      withSegments(
        await photo(64).toColourspace('cmyk').jpeg().toBuffer(),
        times(100, jpegSegment(0xe1, repeatingExif(2000, 40_000))),
      ),
  },
  {
    what: 'a WebP with repeating metadata',
    outcome: small,
    file: async () =>
      extendedWebp(
        { width: 64, height: 64, flags: 8 },
        (await photo(64).webp().toBuffer()).subarray(12),
        webpChunk('EXIF', repeatingExif(30_000, 6 * MiB)),
      ),
  },
  { what: 'a long animated WebP', outcome: large, file: animation },
];

describe('memory for one picture', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(joinPath(tmpdir(), 'millrace-memory-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const { what, outcome, file } of [...ordinary, ...hostile]) {
    it(`${what} takes at most 16 bytes a pixel plus 32 MiB`, async () => {
      const path = joinPath(folder, 'picture');
      await writeFile(path, await file());
      const { stdout } = await run(process.execPath, [script, path, String(maxPixels)]);
      const { growth, ...rest } = JSON.parse(stdout) as { readonly growth: number; readonly outcome: string };
      assert.deepEqual(rest, { outcome });
      const pixels = outcome === large ? maxPixels : 0;
      assert.ok(growth < 16 * pixels + 32 * MiB, `${Math.round(growth / MiB)} MiB`);
    });
  }
});
