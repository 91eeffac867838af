import { BdiaInversion, type NoisePredictor } from '../../diffusion/bdia-inversion.js';
import { guide } from '../../diffusion/guidance.js';
import { predictedNoise } from '../../diffusion/prediction.js';
import { createNoiseSchedule } from '../../diffusion/schedule.js';
import type { Conditioning } from '../../diffusion/stream.js';
import { requireFinite } from '../../engine/worker/networks/finite.js';
import type { ModelRuntime } from '../../engine/worker/networks/runtime.js';
import type { Size } from '../../image/image.js';

export interface InversionSettings {
  readonly steps: number;
  readonly gamma: number;
  /** What the picture shows, and what the result should show. */
  readonly prompt: string;
  readonly edit: string;
  readonly negativePrompt: string;
  /** 1 and below: no guidance. */
  readonly guidanceScale: number;
}

/** A picture that was led to its noise and back under another prompt. */
export interface EditedPicture {
  readonly pixels: Uint8ClampedArray;
  /** The largest deviation of the latent from that of the picture. */
  readonly deviation: number;
  /** U-Net calls, with both rows of guidance counted as one. */
  readonly calls: number;
}

/**
 * Finds the noise of a picture under one prompt, and goes back from it under another. Under the same prompt, the way
 * back ends at the picture (as the VAE shows it).
 * @param onCall is called before each U-Net call, with the number of calls so far and in all.
 * @throws {SolverError} if steps or gamma are out of range.
 * @throws {NotFiniteError} if any value is NaN or infinite.
 */
export async function editPicture(
  runtime: ModelRuntime,
  { pixels, size }: { readonly pixels: Uint8Array; readonly size: Size },
  settings: InversionSettings,
  onCall: (calls: number, total: number) => void,
): Promise<EditedPicture> {
  const schedule = createNoiseSchedule(runtime.folder.scheduler);
  const inversion = new BdiaInversion(schedule, settings.steps, settings.gamma);
  const shape = runtime.latentShape(size);
  const negative = await runtime.embed(settings.negativePrompt);
  const total = 2 * (settings.steps - 1);
  let calls = 0;

  /** Asks the U-Net for one row at a time: prompts may differ in length. */
  const askUnet = async (sample: Float64Array, timestep: number, conditioning: Conditioning) => {
    const abar = schedule.alphasCumprod[timestep] ?? 1;
    const stage = { timestep, a: Math.sqrt(abar), b: Math.sqrt(1 - abar), inputScale: 1 };
    const input = Float32Array.from(sample);
    const [output] = await runtime.predict([{ role: 'positive', stage, input, conditioning }], shape);
    if (output === undefined) throw new RangeError('the U-Net predicted no row');
    requireFinite('unet', output);
    const eps = new Float64Array(sample.length);
    predictedNoise(runtime.folder.predictionType, stage, sample, output, eps);
    return eps;
  };
  const predictorOf = async (prompt: string): Promise<NoisePredictor> => {
    const positive = await runtime.embed(prompt);
    return async (sample, timestep) => {
      onCall(calls++, total);
      const eps = await askUnet(sample, timestep, positive);
      if (settings.guidanceScale > 1) {
        const away = await askUnet(sample, timestep, negative);
        guide({ type: 'full', scale: settings.guidanceScale, delta: 1 }, eps, away);
      }
      return eps;
    };
  };

  const clean = Float64Array.from(await runtime.encode(pixels, size));
  const pair = await inversion.invert(clean, await predictorOf(settings.prompt));
  const edited = await inversion.sample(pair, await predictorOf(settings.edit));
  const out = new Uint8ClampedArray(3 * size.width * size.height);
  await runtime.decode(Float32Array.from(edited), size, out);
  const deviation = edited.reduce((most, value, i) => Math.max(most, Math.abs(value - (clean[i] ?? 0))), 0);
  return { pixels: out, deviation, calls };
}
