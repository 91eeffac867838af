import type { Conditioning } from '../../../diffusion/stream.js';

/**
 * Keeps the most recently used embeddings of prompts, or of other inputs in a text form, so that none is encoded again
 * for every frame or user.
 */
export class EmbeddingCache<Embedding = Conditioning> {
  readonly #embed: (prompt: string) => Promise<Embedding>;
  readonly #onLookup: (hit: boolean) => void;
  readonly #capacity: number;
  /** Least recently used first: a Map keeps insertion order. */
  readonly #entries = new Map<string, Embedding>();

  /** @param capacity most prompts that are kept, at least 1. */
  constructor(
    embed: (prompt: string) => Promise<Embedding>,
    options: { readonly capacity: number; readonly onLookup: (hit: boolean) => void },
  ) {
    this.#embed = embed;
    this.#capacity = options.capacity;
    this.#onLookup = options.onLookup;
  }

  /** Returns the embedding of a prompt; equal prompts share arrays, which must not be modified. */
  async get(prompt: string): Promise<Embedding> {
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
