import { inputWidth, type UnetLayout } from '../../../model/layout/unet.js';

/**
 * Returns the part of a row's conditioning that gives the guidance scale to a model that guides itself; null for other
 * models.
 */
export function guidanceConditioning(
  layout: UnetLayout,
  scale: number,
): { readonly [input: string]: Float32Array } | null {
  const width = inputWidth(layout, 'timestep_cond');
  return width === null ? null : { timestep_cond: guidanceEmbedding(scale, width) };
}

/**
 * Encodes the guidance scale for a model that guides itself: sines and cosines of 1000 (scale - 1) at frequencies
 * from 1 down to 1/10000 (get_guidance_scale_embedding of diffusers' LatentConsistencyModelPipeline).
 * @param width of the embedding, usually 256.
 */
export function guidanceEmbedding(scale: number, width: number): Float32Array {
  const half = Math.floor(width / 2);
  const embedding = new Float32Array(width);
  for (let i = 0; i < half; i++) {
    const angle = 1000 * (scale - 1) * Math.exp((-Math.log(10000) * i) / (half - 1));
    embedding[i] = Math.sin(angle);
    embedding[half + i] = Math.cos(angle);
  }
  return embedding;
}
