import { partNames, type ModelPart } from '../../model-part.js';

/** A network computed a NaN or an infinite value, as float16 does when it overflows. */
export class NotFiniteError extends Error {
  override readonly name = 'NotFiniteError';
  readonly part: ModelPart;

  constructor(part: ModelPart) {
    super(`the ${partNames[part]} computes values that are not numbers (NaN or infinite); ${cures[part]}`);
    this.part = part;
  }
}

const inFloats =
  'export it again in float32 (without --fp16), or download it again if it is in float32 already';
const otherVae =
  'export the model again with its VAE in float32 (without --fp16), or with a VAE that was made for float16: ' +
  '--vae madebyollin/sdxl-vae-fp16-fix for SDXL, --vae taesd for others';
const cures: Readonly<Record<ModelPart, string>> = {
  text_encoder: inFloats,
  vae_encoder: otherVae,
  unet: inFloats,
  vae_decoder: otherVae,
};

/** Whether all values are finite. */
export function allFinite(values: Float32Array): boolean {
  // A sum with a NaN or an infinite value is not finite, and finite floats are too small for their sum to overflow.
  let sum = 0;
  for (const value of values) sum += value;
  return Number.isFinite(sum);
}

/** @throws {NotFiniteError} naming the part that computed the values. */
export function requireFinite(part: ModelPart, values: Float32Array): void {
  if (!allFinite(values)) throw new NotFiniteError(part);
}
