import type { Limits } from '@millrace/protocol';
import sharp from 'sharp';
import type { AttackCase } from '../attack.js';
import { frameAttack } from '../clients/frame-attack.js';
import { blackPng } from '../pictures/pngs.js';
import { tinyWebp } from '../pictures/webps.js';

/** Long sides; those above the pixel limit are left out. */
const sides = [1, 2, 3, 7, 63, 1023, 16_383, 16_384, 65_500, 1_048_577, 4_194_304, 16_777_216];

/** Returns a JPEG of this size; its sides have 16 bits. */
async function jpeg(width: number, height: number): Promise<Uint8Array> {
  const background = { r: 90, g: 120, b: 60 };
  return sharp({ create: { width, height, channels: 3, background } })
    .jpeg()
    .toBuffer();
}

async function shapes({
  frame_pixels: pixels,
}: Pick<Limits, 'frame_pixels'>): Promise<readonly Uint8Array[]> {
  const long = [...sides, pixels].filter((side) => side <= pixels);
  const both = long.flatMap((side) => {
    const other = Math.min(side, Math.max(1, Math.floor(pixels / side)));
    return [
      [side, 1],
      [1, side],
      [side, Math.min(other, 64)],
      [Math.min(other, 64), side],
    ] as const;
  });
  const pngs = both.map(([width, height]) => blackPng(width, height));
  const webps = both
    .filter((each) => Math.max(...each) <= 16_383)
    .map(([width, height]) => tinyWebp(width, height));
  const jpegs = await Promise.all(
    both.filter((each) => Math.max(...each) <= 65_500).map(async ([width, height]) => jpeg(width, height)),
  );
  return [...pngs, ...webps, ...jpegs];
}

const fits = ['cover', 'contain', 'stretch'] as const;

/** Pictures within the pixel limit with sides of very different lengths. */
export const extremeShapes = frameAttack({
  name: 'extreme-shapes',
  pictures: shapes,
  parameters: (client) => ({ width: 64, height: 64, fit: fits[client % fits.length] ?? 'cover' }),
});

export const shapeCases: readonly AttackCase[] = [
  {
    name: extremeShapes.name,
    what: '3 clients, pictures of any shape within the limits',
    parts: [{ attack: extremeShapes, clients: 3 }],
    streams: 3,
  },
];
