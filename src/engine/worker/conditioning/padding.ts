import type { Conditioning } from '../../../diffusion/stream.js';

/**
 * Pads embeddings to the same length with chunks of the empty prompt, as common tools do. The result depends only on
 * the stream's own prompts, never on those of other streams.
 */
export class Padding {
  readonly #empty: Float32Array;
  readonly #nothing: Float32Array | null;
  /** The same embedding gives the same array, by which an unchanged prompt is recognized. */
  readonly #padded = new WeakMap<Float32Array, Float32Array>();

  /**
   * @param empty embedding of the empty prompt, one chunk.
   * @param nothing embedding of an empty negative prompt if it is different; it is padded with itself.
   */
  constructor(empty: Float32Array, nothing: Float32Array | null) {
    this.#empty = empty;
    this.#nothing = nothing;
  }

  /** Returns whether this is an embedding of whole chunks, as all of this model are. */
  fits(embedding: Float32Array): boolean {
    return embedding.length > 0 && embedding.length % this.#empty.length === 0;
  }

  /** Pads to `length` values, a multiple of the chunk length; a longer embedding is returned unchanged. */
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

  /** Pads all to the length of the longest. */
  align<Parts extends readonly Conditioning[]>(
    parts: Parts,
  ): { readonly [Index in keyof Parts]: Conditioning } {
    const length = Math.max(...parts.map(({ encoder_hidden_states: text }) => text.length));
    const align = (part: Conditioning): Conditioning => {
      const padded = this.pad(part.encoder_hidden_states, length);
      return padded === part.encoder_hidden_states ? part : { ...part, encoder_hidden_states: padded };
    };
    return parts.map(align) as { [Index in keyof Parts]: Conditioning };
  }
}
