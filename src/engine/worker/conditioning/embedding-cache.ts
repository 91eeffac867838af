import type { Conditioning } from '../../../diffusion/stream.js';

/** Embeddings of the prompts used last, so that a prompt is encoded once and not once a frame or user. */
export class EmbeddingCache {
  readonly #embed: (prompt: string) => Promise<Conditioning>;
  readonly #onLookup: (hit: boolean) => void;
  readonly #capacity: number;
  /** In the order of their last use: a Map keeps insertion order. */
  readonly #entries = new Map<string, Conditioning>();

  /** @param capacity prompts that are kept, at least 1. */
  constructor(
    embed: (prompt: string) => Promise<Conditioning>,
    options: { readonly capacity: number; readonly onLookup: (hit: boolean) => void },
  ) {
    this.#embed = embed;
    this.#capacity = options.capacity;
    this.#onLookup = options.onLookup;
  }

  /** The embedding of a prompt; equal prompts get the same arrays, which must not be changed. */
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
