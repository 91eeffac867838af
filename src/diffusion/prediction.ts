import type { Latent, PredictionType } from './types.js';

/**
 * The noise that a U-Net output stands for. With x = a x0 + b z: `epsilon` predicts z, `sample` predicts x0, and
 * `v_prediction` predicts v = a z - b x0 (Salimans and Ho 2022, appendix D), from which z = a v + b x.
 * @param level noise level of the input.
 * @param input U-Net input x, variance-preserving (sample * inputScale).
 * @param output what the U-Net answered.
 * @param out receives the noise; may be `output`.
 */
export function predictedNoise(
  prediction: PredictionType,
  level: { readonly a: number; readonly b: number },
  input: Latent,
  output: Latent,
  out: Latent,
): void {
  const { a, b } = level;
  switch (prediction) {
    case 'epsilon':
      out.set(output);
      return;
    case 'v_prediction':
      for (let i = 0; i < out.length; i++) out[i] = a * output[i] + b * input[i];
      return;
    case 'sample':
      for (let i = 0; i < out.length; i++) out[i] = (input[i] - a * output[i]) / b;
      return;
  }
}
