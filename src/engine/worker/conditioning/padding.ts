import type { Conditioning } from '../../../diffusion/stream.js';

/**
 * Makes embeddings as long as each other: what is shorter goes on with the empty prompt, chunk after chunk, as in
 * the tools that people know. It depends on a stream's own prompts alone, never on those of others.
 */
export class Padding {
  readonly #empty: Float32Array;
  readonly #nothing: Float32Array | null;
  /** Equal embeddings give equal arrays, by which an unchanged prompt is known. */
  readonly #padded = new WeakMap<Float32Array, Float32Array>();

  /**
   * @param empty embedding of the empty prompt, one chunk.
   * @param nothing what stands for an empty negative prompt, if it is another; it goes on with itself.
   */
  constructor(empty: Float32Array, nothing: Float32Array | null) {
    this.#empty = empty;
    this.#nothing = nothing;
  }

  /** Whether this is an embedding of whole chunks, as all of this model are. */
  fits(embedding: Float32Array): boolean {
    return embedding.length > 0 && embedding.length % this.#empty.length === 0;
  }

  /** @param length values, a multiple of the chunk's; a longer embedding stays as it is. */
  pad(embedding: Float32Array, length: number): Float32Array {
    if (embedding.length >= length) return embedding;
    const known = this.#padded.get(embedding);
    if (known?.length === length) return known;
    const chunk = embedding === this.#nothing ? embedding : this.#empty;
    const padded = new Float32Array(length);
    padded.set(embedding);
    for (let at = embedding.length; at < length; at += chunk.length) padded.set(chunk, at);
    this.#padded.set(embedding, padded);
    return padded;
  }

  /** All with the length of the longest. */
  align<Parts extends readonly Conditioning[]>(
    parts: Parts,
  ): { readonly [Index in keyof Parts]: Conditioning } {
    const length = Math.max(...parts.map(({ embedding }) => embedding.length));
    const align = (part: Conditioning): Conditioning => {
      const embedding = this.pad(part.embedding, length);
      return embedding === part.embedding ? part : { ...part, embedding };
    };
    return parts.map(align) as { [Index in keyof Parts]: Conditioning };
  }
}
