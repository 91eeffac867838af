import type { ModelRuntime } from '../../../src/engine/worker/networks/runtime.js';
import { testImage } from '../../support/engine.js';
import { inTurns, ratio } from '../pipeline-rig.js';
import { median, type Figure } from '../report.js';

interface VaeTrials {
  /** Of the pictures, in pixels. */
  readonly side: number;
  /** Pictures of a call; the first is what the others are compared with. */
  readonly counts: readonly number[];
  readonly rounds: number;
}

/** Compares what a picture costs in calls of several with what it costs in smaller ones. */
export async function vaeFigures(
  runtime: Pick<ModelRuntime, 'encode' | 'decode'>,
  { side, counts, rounds }: VaeTrials,
): Promise<Figure[]> {
  const size = { width: side, height: side };
  const pictures = Array.from({ length: Math.max(...counts) }, (_, i) => testImage(i, size));
  const latents: Float32Array[] = [];
  for (const picture of pictures) {
    const [latent] = await runtime.encode([picture]);
    if (latent) latents.push(latent.slice());
  }
  const calls = {
    encode: async (count: number) => runtime.encode(pictures.slice(0, count)),
    decode: async (count: number) => runtime.decode(latents.slice(0, count), pictures.slice(0, count)),
  };
  const figures: Figure[] = [];
  for (const [name, call] of Object.entries(calls)) {
    const ms = await inTurns(
      counts.map(String),
      async (count) => {
        const start = performance.now();
        await call(Number(count));
        return (performance.now() - start) / Number(count);
      },
      rounds,
    );
    const [one, ...others] = counts.map(String);
    figures.push({ what: `${name}, a picture alone`, value: median(ms[one]), unit: 'ms' });
    for (const count of others) {
      const what = `${name}, a picture of ${count} in a call over one alone`;
      figures.push({ what, value: ratio(ms[count], ms[one]), unit: 'x', goal: 'at most 1' });
    }
  }
  return figures;
}
