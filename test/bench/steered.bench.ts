import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkFiles, linkSteeredModel } from '../support/steered-model.js';
import { report, type Figure } from './report.js';
import { callFigures } from './steered/calls.js';
import { exportModel } from './steered/model.js';
import { panFigures } from './steered/moving-noise.js';
import { userFigures } from './steered/users.js';

/**
 * Figures of streams that are steered by pictures and by earlier frames: `npm run bench -- steered`. Models are random;
 * compared variants run in turns within one process, and the figure is a median of ratios.
 */
const threads = 2;
const users = 8;

interface Model {
  readonly folder: string;
  /** Rows of a call. */
  readonly rows: number;
  /** Side of the pictures, in pixels. */
  readonly side: number;
  readonly rounds: number;
  /** Frames of each user in a round. */
  readonly frames: number;
}

const place = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
try {
  const small = join(place, 'small');
  await linkSteeredModel('all', small);
  await measure('a small model', { folder: small, rows: 4, side: 256, rounds: 15, frames: 20 });
  const exported = await exportModel(80);
  if ('missing' in exported) {
    console.log(`\nsteered, blocks of Stable Diffusion 1.5: not measured. ${exported.missing}`);
  } else {
    const { folder } = exported;
    await measure('blocks of Stable Diffusion 1.5 at a quarter of the width', {
      folder,
      rows: 2,
      side: 256,
      rounds: 5,
      frames: 3,
    });
  }
  report(
    'steered, noise on a photo that pans, with the embedded model',
    await panFigures({ frames: 32, speed: 4, apart: 4, threads }),
  );
} finally {
  await rm(place, { recursive: true });
}

async function measure(name: string, { folder, rows, side, rounds, frames }: Model): Promise<void> {
  const plainFolder = join(place, 'plain', name);
  await linkFiles(folder, plainFolder, ['unet_steered', 'controls', 'image_encoder']);
  const figures: Figure[] = [
    ...(await callFigures({ folder, plainFolder, rows, side, rounds, threads })),
    ...(await userFigures({ folder, users, frames, side, rounds: Math.min(rounds, 3), threads })),
  ];
  report(`steered, ${name}`, figures);
}
