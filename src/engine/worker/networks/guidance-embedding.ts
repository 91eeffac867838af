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
