import type { Conditioning } from '../../../diffusion/stream.js';

/** Keeps the most recently used embeddings, so that a prompt is not encoded again for every frame or user. */
export class EmbeddingCache {
  readonly #embed: (prompt: string) => Promise<Conditioning>;
  readonly #onLookup: (hit: boolean) => void;
  readonly #capacity: number;
  /** Least recently used first: a Map keeps insertion order. */
  readonly #entries = new Map<string, Conditioning>();

  /** @param capacity most prompts that are kept, at least 1. */
  constructor(
    embed: (prompt: string) => Promise<Conditioning>,
    options: { readonly capacity: number; readonly onLookup: (hit: boolean) => void },
  ) {
    this.#embed = embed;
    this.#capacity = options.capacity;
    this.#onLookup = options.onLookup;
  }

  /** Returns the embedding of a prompt; equal prompts share arrays, which must not be modified. */
  async get(prompt: string): Promise<Conditioning> {
    const known = this.#entries.get(prompt);
    this.#onLookup(known !== undefined);
    const embedding = known ?? (await this.#embed(prompt));
    this.#entries.delete(prompt);
    this.#entries.set(prompt, embedding);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#capacity && oldest !== undefined) this.#entries.delete(oldest);
    return embedding;
  }
}
