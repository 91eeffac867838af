import { guide } from '../../diffusion/guidance.js';
import { predictedNoise } from '../../diffusion/prediction.js';
import type { Conditioning } from '../../diffusion/stream.js';
import type { Stage } from '../../diffusion/types.js';
import type { Size } from '../../image/image.js';
import type { ModelRuntime } from './networks/runtime.js';

interface NoiseOptions {
  readonly size: Size;
  readonly negative: Conditioning;
  /** 1 and below: no guidance. */
  readonly guidanceScale: number;
}

/** Predicts the noise in a variance-preserving sample under a prompt, with guidance, in double precision. */
type GuidedNoise = (sample: Float64Array, stage: Stage, prompt: Conditioning) => Promise<Float64Array>;

/** Returns what predicts noise with a model, outside of streams. */
export function guidedNoise(
  runtime: ModelRuntime,
  { size, negative, guidanceScale }: NoiseOptions,
): GuidedNoise {
  const { predictionType } = runtime.folder;
  const shape = runtime.latentShape(size);
  const predict: GuidedNoise = async (sample, stage, conditioning) => {
    const input = Float32Array.from(sample);
    const output = await runtime.predictOne({ role: 'positive', stage, input, conditioning }, shape);
    const eps = new Float64Array(sample.length);
    predictedNoise(predictionType, stage, sample, output, eps);
    return eps;
  };
  return async (sample, stage, prompt) => {
    const eps = await predict(sample, stage, prompt);
    if (guidanceScale > 1) {
      const away = await predict(sample, stage, negative);
      guide({ type: 'full', scale: guidanceScale, delta: 1 }, eps, away);
    }
    return eps;
  };
}
