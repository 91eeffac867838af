import type { AttackCase } from '../attack.js';
import { frameAttack } from '../clients/frame-attack.js';
import { cmykJpeg, manyScans } from '../pictures/jpegs.js';
import { noisyPictures } from '../pictures/noise.js';
import { blackPng } from '../pictures/pngs.js';
import { tinyWebp } from '../pictures/webps.js';

const side = 4096;
/** Pictures of 16 megapixels in files of a few kilobytes. */
const huge = [
  frameAttack({ name: 'decode-webp', pictures: () => Promise.resolve([tinyWebp(side, side)]) }),
  frameAttack({ name: 'decode-png-column', pictures: () => Promise.resolve([blackPng(1, side * side)]) }),
  frameAttack({ name: 'decode-png', pictures: () => Promise.resolve([blackPng(side, side)]) }),
  frameAttack({ name: 'decode-cmyk', pictures: async () => [await cmykJpeg(side, side)] }),
  frameAttack({ name: 'decode-scans', pictures: () => Promise.resolve([manyScans(side, side)]) }),
] as const;

/** Returns the side of the largest square that the server accepts, a multiple of 64. */
function largestSide(pixels: number): number {
  return Math.floor(Math.sqrt(pixels) / 64) * 64;
}

export const largestPictures = frameAttack({
  name: 'decode-largest',
  async pictures({ frame_pixels: pixels, message_bytes: bytes }) {
    const most = largestSide(pixels);
    return [
      tinyWebp(most, most),
      blackPng(most, most),
      await cmykJpeg(most, most),
      manyScans(most, most),
      ...(await noisyPictures(most, most, bytes - 1024)),
    ];
  },
});

export const decodingCases: readonly AttackCase[] = [
  ...huge.map((attack) => ({ attack, what: 'a picture of 16 megapixels in a small file' })),
  { attack: largestPictures, what: 'the largest pictures that are accepted' },
].map(({ attack, what }) => ({
  name: attack.name,
  what: `6 clients, ${what}`,
  parts: [{ attack, clients: 6 }],
  streams: 6,
}));
