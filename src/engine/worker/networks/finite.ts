import { ParameterError } from '../../engine.js';
import { partNames, type ModelPart } from '../../model-part.js';

/** A network computed a NaN or infinite value, as when float16 overflows. */
export class NotFiniteError extends Error {
  override readonly name = 'NotFiniteError';
  readonly part: ModelPart;

  constructor(part: ModelPart) {
    super(`the ${partNames[part]} computes NaN or infinite values; ${cures[part]}`);
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
  image_encoder: inFloats,
  vae_encoder: otherVae,
  control: inFloats,
  unet: inFloats,
  vae_decoder: otherVae,
  preprocessor: 'export its graph again in float32',
  safety_checker: 'export its graph again in float32',
};

/** Returns the refusal of the parameter that an encoder computes such values for. */
export function refusedInput({ part }: NotFiniteError): ParameterError {
  const field = part === 'image_encoder' ? 'style_image' : 'prompt';
  const fault = `the ${partNames[part]} computes NaN or infinite values for it; change the ${field}`;
  return new ParameterError(field, fault);
}

/** Returns whether all values are finite. */
export function allFinite(values: Float32Array): boolean {
  // A sum with a NaN or infinite value is not finite, and a sum of finite floats cannot overflow a double.
  let sum = 0;
  // An iterator would take several times as long, three times a frame.
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return Number.isFinite(sum);
}

/** @throws {NotFiniteError} if a value is NaN or infinite, with the part that computed it. */
export function requireFinite(part: ModelPart, values: Float32Array): void {
  if (!allFinite(values)) throw new NotFiniteError(part);
}
