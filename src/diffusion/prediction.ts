import type { Latent, PredictionType, Stage, Values } from './types.js';

/**
 * Converts a U-Net output to the predicted noise. With x = a x0 + b z: `epsilon` predicts z, `sample` predicts x0, and
 * `v_prediction` predicts v = a z - b x0 (Salimans and Ho 2022, appendix D), from which z = a v + b x. `flow` predicts
 * v = z - x0 (Lipman et al. 2023, section 4.1), from which z = x + a v, since a + b = 1.
 * @param stage of the sample.
 * @param sample in the solver's coordinates: x is sample * inputScale, without the rounding of the U-Net's input.
 * @param output of the U-Net.
 * @param out receives the noise; may be `output`.
 */
export function predictedNoise(
  prediction: PredictionType,
  { a, b, inputScale, noiseWeights }: Omit<Stage, 'timestep'>,
  sample: Values,
  output: Latent,
  out: Values,
): void {
  if (noiseWeights) {
    const { output: ofOutput, input: ofInput } = noiseWeights;
    for (let i = 0; i < out.length; i++) out[i] = ofOutput * output[i] + ofInput * (sample[i] * inputScale);
    return;
  }
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
    case 'flow':
      for (let i = 0; i < out.length; i++) out[i] = sample[i] * inputScale + a * output[i];
      return;
    case 'reverse_flow':
      for (let i = 0; i < out.length; i++) out[i] = sample[i] * inputScale - a * output[i];
      return;
    default:
      throw new RangeError(`${prediction} has a meaning only in the windows of PeRFlow`);
  }
}
