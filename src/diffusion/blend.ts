import { writeWeightedSum } from './weighted-sum.js';

export type BlendMethod = 'lerp' | 'slerp';

/** A text embedding and its weight. */
export interface WeightedEmbedding {
  readonly embedding: Float32Array;
  /** At least 0; only ratios matter. */
  readonly weight: number;
}

/**
 * Blends embeddings by weight into a new array. `lerp` is the weighted mean; `slerp` follows the great circle between
 * two (Shoemake 1985), and blends more than two one after another in the given order.
 * @throws {RangeError} if there are none or all weights are 0.
 */
export function blend(parts: readonly WeightedEmbedding[], method: BlendMethod): Float32Array {
  const [first, ...others] = parts.filter(({ weight }) => weight > 0);
  if (first === undefined) throw new RangeError('at least one weight must be above 0');
  let total = first.weight;
  let blended: Float32Array = first.embedding.slice();
  for (const { embedding, weight } of others) {
    total += weight;
    blended = interpolate(blended, embedding, weight / total, method, blended);
  }
  return blended;
}

/** Writes the point at `t` (0 to 1) between two embeddings to `out`, which may be either of them. */
export function interpolate(
  from: Float32Array,
  to: Float32Array,
  t: number,
  method: BlendMethod,
  out: Float32Array,
): Float32Array {
  const [a, b] = method === 'slerp' ? sphericalWeights(from, to, t) : [1 - t, t];
  writeWeightedSum(out, a, from, b, to);
  return out;
}

function sphericalWeights(from: Float32Array, to: Float32Array, t: number): readonly [number, number] {
  let dot = 0;
  let fromSquared = 0;
  let toSquared = 0;
  for (let i = 0; i < from.length; i++) {
    dot += from[i] * to[i];
    fromSquared += from[i] ** 2;
    toSquared += to[i] ** 2;
  }
  const cosine = dot / Math.max(1e-12, Math.sqrt(fromSquared * toSquared));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  // Parallel embeddings have no arc, or no unique one.
  if (sine < 1e-4) return [1 - t, t];
  return [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine];
}
