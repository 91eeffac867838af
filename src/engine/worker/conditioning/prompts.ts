import type { StreamParameters } from '@millrace/protocol';
import { blend, type BlendMethod } from '../../../diffusion/blend.js';
import type { Conditioning, PromptTransition } from '../../../diffusion/stream.js';
import { MovingEmbedding, type Way } from '../../../diffusion/transition.js';
import type { EmbeddingCache } from './embedding-cache.js';
import { allFinite } from '../networks/finite.js';
import type { Padding } from './padding.js';
import { weightedPrompts } from '../planning/plan.js';

export interface PromptPair {
  readonly positive: Conditioning;
  readonly negative: Conditioning;
}

/** Shared by all streams to embed their prompts. */
export interface PromptContext {
  readonly embeddings: EmbeddingCache;
  /** Conditioning for an empty negative prompt; null embeds it like any other text. */
  readonly emptyNegative: Conditioning | null;
  readonly padding: Padding;
}

/**
 * Embeds the prompts of a stream, blended by weight.
 * @throws {ParameterError} if all weights are 0.
 */
export async function embedPrompts(
  { embeddings: cache, emptyNegative, padding }: PromptContext,
  parameters: StreamParameters,
): Promise<PromptPair> {
  const prompts = weightedPrompts(parameters);
  const conditionings: Conditioning[] = [];
  for (const { text } of prompts) conditionings.push(await cache.get(text));
  const parts = padding
    .align(conditionings)
    .map((conditioning, i) => ({ conditioning, weight: prompts[i]?.weight ?? 0 }));
  const { negative_prompt: text, prompt_blend: method } = parameters;
  const negative = text === '' && emptyNegative ? emptyNegative : await cache.get(text);
  const [only] = parts;
  // A single prompt keeps the cache's own arrays, by which an unchanged prompt is recognized.
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

/** A prompt that can change gradually: all parts of its conditioning move together. */
export class MovingPrompt {
  readonly #padding: Padding;
  #target: Conditioning;
  #embedding: MovingEmbedding;
  #pooled: MovingEmbedding | null;

  constructor(conditioning: Conditioning, padding: Padding) {
    this.#padding = padding;
    this.#target = conditioning;
    this.#embedding = new MovingEmbedding(conditioning.embedding);
    this.#pooled = conditioning.pooled ? new MovingEmbedding(conditioning.pooled) : null;
  }

  moveTo(target: Conditioning, way: Way): void {
    if (target.pooled) this.#pooled?.moveTo(target.pooled, way);
    if (target.embedding === this.#target.embedding) return;
    this.#target = target;
    const now = this.#embedding.at(way.ordinal, way.ms);
    const length = Math.max(now.length, target.embedding.length);
    // During a transition, both prompts are padded to the length of the longer one.
    this.#embedding = new MovingEmbedding(this.#padding.pad(now, length));
    this.#embedding.moveTo(this.#padding.pad(target.embedding, length), way);
  }

  /** Returns the current transition; null if there is none. @param ms the current time. */
  transition(ms: number): PromptTransition | null {
    const embedding = this.#embedding.moving;
    if (embedding === null) return null;
    const { way } = embedding;
    const pooled = this.#pooled?.moving?.from;
    const from = { embedding: embedding.from, ...(pooled && { pooled }) };
    return { from, method: way.method, length: way.length, ordinal: way.ordinal, elapsedMs: ms - way.ms };
  }

  /** Continues a transition to this prompt that began in another engine. @param ms the current time. */
  resume({ from, method, length, ordinal, elapsedMs }: PromptTransition, ms: number): void {
    const target = this.#target;
    if (from.pooled?.length !== target.pooled?.length || !this.#padding.fits(from.embedding)) return;
    if (!allFinite(from.embedding) || (from.pooled && !allFinite(from.pooled))) return;
    this.#target = from;
    this.#embedding = new MovingEmbedding(from.embedding);
    this.#pooled = from.pooled ? new MovingEmbedding(from.pooled) : null;
    this.moveTo(target, { method, length, ordinal, ms: ms - elapsedMs });
  }

  /** Returns the conditioning for the frame with this ordinal at this time. */
  at(ordinal: number, ms: number): Conditioning {
    const { embedding: target } = this.#target;
    const now = this.#embedding.at(ordinal, ms);
    const embedding = now === this.#padding.pad(target, now.length) ? target : now;
    return this.#pooled ? { embedding, pooled: this.#pooled.at(ordinal, ms) } : { embedding };
  }
}
