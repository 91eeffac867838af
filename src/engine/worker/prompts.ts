import type { StreamParameters } from '@millrace/protocol';
import { blend, type BlendMethod } from '../../diffusion/blend.js';
import type { Conditioning } from '../../diffusion/stream.js';
import { MovingEmbedding } from '../../diffusion/transition.js';
import type { EmbeddingCache } from './embedding-cache.js';
import { weightedPrompts } from './settings.js';

export interface PromptPair {
  readonly positive: Conditioning;
  readonly negative: Conditioning;
}

/**
 * Embeds the prompts of a stream, blended by weight.
 * @param emptyNegative what stands for an empty negative prompt; null embeds it like any other text.
 * @throws {ParameterError} if all weights are 0.
 */
export async function embedPrompts(
  cache: EmbeddingCache,
  parameters: StreamParameters,
  emptyNegative: Conditioning | null,
): Promise<PromptPair> {
  const parts = [];
  for (const { text, weight } of weightedPrompts(parameters)) {
    parts.push({ conditioning: await cache.get(text), weight });
  }
  const { negative_prompt: text, prompt_blend: method } = parameters;
  const negative = text === '' && emptyNegative ? emptyNegative : await cache.get(text);
  const [only] = parts;
  // A single prompt keeps the cache's own arrays, by which an unchanged prompt is known.
  const positive = parts.length === 1 && only ? only.conditioning : blendAll(parts, method);
  return { positive, negative };
}

function blendAll(
  parts: readonly { readonly conditioning: Conditioning; readonly weight: number }[],
  method: BlendMethod,
): Conditioning {
  const embedding = blend(
    parts.map(({ conditioning, weight }) => ({ embedding: conditioning.embedding, weight })),
    method,
  );
  const pooled = parts.flatMap(({ conditioning, weight }) =>
    conditioning.pooled ? [{ embedding: conditioning.pooled, weight }] : [],
  );
  return { embedding, ...(pooled.length > 0 && { pooled: blend(pooled, method) }) };
}

/** A prompt that can turn into another over some frames: all that it is to the U-Net moves together. */
export class MovingPrompt {
  readonly #embedding: MovingEmbedding;
  readonly #pooled: MovingEmbedding | null;

  constructor({ embedding, pooled }: Conditioning) {
    this.#embedding = new MovingEmbedding(embedding);
    this.#pooled = pooled ? new MovingEmbedding(pooled) : null;
  }

  moveTo({ embedding, pooled }: Conditioning, way: Parameters<MovingEmbedding['moveTo']>[1]): void {
    this.#embedding.moveTo(embedding, way);
    if (pooled) this.#pooled?.moveTo(pooled, way);
  }

  /** What it is for the frame with this ordinal at this time. */
  at(ordinal: number, ms: number): Conditioning {
    const embedding = this.#embedding.at(ordinal, ms);
    return this.#pooled ? { embedding, pooled: this.#pooled.at(ordinal, ms) } : { embedding };
  }
}
