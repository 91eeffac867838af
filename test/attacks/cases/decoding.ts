import type { Attack, AttackCase } from '../attack.js';
import { sendFrames } from '../clients/frame-client.js';
import { persistAll } from '../clients/persist.js';
import { cmykJpeg, manyScans } from '../pictures/jpegs.js';
import { noisyPictures } from '../pictures/noise.js';
import { blackPng } from '../pictures/pngs.js';
import { tinyWebp } from '../pictures/webps.js';

/** Pictures that cost more to decode than to send. */
function decodingAttack(name: string, payloads: NonNullable<Attack['payloads']>): Attack {
  return {
    name,
    payloads,
    async attack(target, signal) {
      await persistAll(target, signal, async (client) => {
        // Each begins with another picture.
        const pictures = target.payloads.map(
          (_, i, all) => all[(i + client) % all.length] ?? new Uint8Array(),
        );
        const plan = { address: target.address(), parameters: { width: 64, height: 64 }, pictures };
        await sendFrames(target, plan, signal);
      });
    },
  };
}

const side = 4096;
/** Pictures of 16 megapixels in files of a few kilobytes. */
const huge = [
  decodingAttack('decode-webp', () => Promise.resolve([tinyWebp(side, side)])),
  decodingAttack('decode-png-column', () => Promise.resolve([blackPng(1, side * side)])),
  decodingAttack('decode-png', () => Promise.resolve([blackPng(side, side)])),
  decodingAttack('decode-cmyk', async () => [await cmykJpeg(side, side)]),
  decodingAttack('decode-scans', () => Promise.resolve([manyScans(side, side)])),
] as const;

/** The largest square that the server takes, with sides that are multiples of 64. */
function largestSide(pixels: number): number {
  return Math.floor(Math.sqrt(pixels) / 64) * 64;
}

export const largestPictures = decodingAttack(
  'decode-largest',
  async ({ frame_pixels: pixels, message_bytes: bytes }) => {
    const most = largestSide(pixels);
    return [
      tinyWebp(most, most),
      blackPng(most, most),
      await cmykJpeg(most, most),
      manyScans(most, most),
      ...(await noisyPictures(most, most, bytes - 1024)),
    ];
  },
);

export const decodingCases: readonly AttackCase[] = [
  ...huge.map((attack) => ({ attack, what: 'a picture of 16 megapixels in a small file' })),
  { attack: largestPictures, what: 'the largest pictures that are taken' },
].map(({ attack, what }) => ({
  name: attack.name,
  what: `6 clients, ${what}`,
  parts: [{ attack, clients: 6 }],
  streams: 6,
}));
