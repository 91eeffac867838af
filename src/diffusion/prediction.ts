import type { Latent, PredictionType, Stage, Values } from './types.js';

/**
 * The noise that a U-Net output stands for. With x = a x0 + b z: `epsilon` predicts z, `sample` predicts x0, and
 * `v_prediction` predicts v = a z - b x0 (Salimans and Ho 2022, appendix D), from which z = a v + b x.
 * @param stage of the sample.
 * @param sample in the solver's coordinates: x is sample * inputScale, here without the rounding that the U-Net's
 * input has.
 * @param output what the U-Net answered.
 * @param out receives the noise; may be `output`.
 */
export function predictedNoise(
  prediction: PredictionType,
  { a, b, inputScale }: Omit<Stage, 'timestep'>,
  sample: Values,
  output: Latent,
  out: Values,
): void {
  switch (prediction) {
    case 'epsilon':
      out.set(output);
      return;
    case 'v_prediction':
      for (let i = 0; i < out.length; i++) out[i] = a * output[i] + b * (sample[i] * inputScale);
      return;
    case 'sample':
      for (let i = 0; i < out.length; i++) out[i] = (sample[i] * inputScale - a * output[i]) / b;
      return;
  }
}
