import type { StreamParameters } from '@millrace/protocol';
import { blend, type BlendMethod } from '../../../diffusion/blend.js';
import type { Conditioning, PromptTransition } from '../../../diffusion/stream.js';
import { MovingEmbedding, type Way } from '../../../diffusion/transition.js';
import type { NearestNames } from '../../../model/prompt-classifier.js';
import type { EmbeddingCache } from './embedding-cache.js';
import { allFinite } from '../networks/finite.js';
import type { Padding } from './padding.js';
import { weightedPrompts } from '../planning/plan.js';

export interface PromptPair {
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  /** The second of two prompts that are composed by their predictions; null if they are blended. */
  readonly second: Conditioning | null;
}

/** Shared by all streams to embed their prompts. */
export interface PromptContext {
  readonly embeddings: EmbeddingCache;
  /** Conditioning for an empty negative prompt; null embeds it like any other text. */
  readonly emptyNegative: Conditioning | null;
  readonly padding: Padding;
  readonly nearestNames: NearestNames;
}

/**
 * Embeds the prompts of a stream, blended by weight. One that names no style is drawn by the name of the nearest.
 * @throws {ParameterError} if all weights are 0.
 */
export async function embedPrompts(
  context: PromptContext,
  parameters: StreamParameters,
): Promise<PromptPair> {
  const { embeddings: cache, emptyNegative, padding } = context;
  const prompts = weightedPrompts(parameters);
  const conditionings: Conditioning[] = [];
  for (const { text } of prompts) conditionings.push(await embedByName(context, text));
  const parts = padding
    .align(conditionings)
    .map((conditioning, i) => ({ conditioning, weight: prompts[i]?.weight ?? 0 }));
  const { negative_prompt: text, prompt_blend: method } = parameters;
  const negative = text === '' && emptyNegative ? emptyNegative : await cache.get(text);
  const [only, other] = parts;
  if (parameters.prompt_composition !== 'mix' && only && other)
    return { positive: only.conditioning, second: other.conditioning, negative };
  // A single prompt keeps the cache's own arrays, by which an unchanged prompt is recognized.
  const positive = parts.length === 1 && only ? only.conditioning : blendAll(parts, method);
  return { positive, negative, second: null };
}

/**
 * Returns the conditioning that draws a prompt. One that names nothing in words that the model knows has states between
 * several styles, which hardly change a picture: it is drawn by the name of the nearest instead.
 */
async function embedByName({ embeddings, nearestNames }: PromptContext, text: string): Promise<Conditioning> {
  const own = await embeddings.get(text);
  const name = nearestNames.of(text, own.encoder_hidden_states);
  return name === '' ? own : embeddings.get(name);
}

function blendAll(
  parts: readonly { readonly conditioning: Conditioning; readonly weight: number }[],
  method: BlendMethod,
): Conditioning {
  const [first] = parts;
  if (first === undefined) throw new RangeError('there are no prompts');
  return mapInputs(first.conditioning, (_, input) => {
    const weighted = parts.flatMap(({ conditioning: { [input]: embedding }, weight }) =>
      embedding ? [{ embedding, weight }] : [],
    );
    return blend(weighted, method);
  });
}

/** Returns the conditioning of no prompt at all: zeros for the same inputs. */
export function noPrompt(conditioning: Conditioning): Conditioning {
  return mapInputs(conditioning, ({ length }) => new Float32Array(length));
}

/** Returns a conditioning with other values for the same inputs. */
function mapInputs(
  conditioning: Conditioning,
  change: (values: Float32Array, input: string) => Float32Array,
): Conditioning {
  const changed = Object.entries(conditioning).map(
    ([input, values]) => [input, change(values, input)] as const,
  );
  return { ...conditioning, ...Object.fromEntries(changed) };
}

/** A prompt that can change gradually: all parts of its conditioning move together. */
export class MovingPrompt {
  readonly #padding: Padding;
  #target: Conditioning;
  /** `encoder_hidden_states`, whose length may change. */
  #text: MovingEmbedding;
  /** The other parts, by the input of the U-Net. */
  #others: ReadonlyMap<string, MovingEmbedding>;

  constructor(conditioning: Conditioning, padding: Padding) {
    this.#padding = padding;
    this.#target = conditioning;
    this.#text = new MovingEmbedding(conditioning.encoder_hidden_states);
    this.#others = movingOthers(conditioning);
  }

  moveTo(target: Conditioning, way: Way): void {
    for (const [input, part] of this.#others) {
      const values = target[input];
      if (values) part.moveTo(values, way);
    }
    const { encoder_hidden_states: text } = target;
    if (text === this.#target.encoder_hidden_states) return;
    this.#target = target;
    const now = this.#text.at(way.ordinal, way.ms);
    const length = Math.max(now.length, text.length);
    // During a transition, both prompts are padded to the length of the longer one.
    this.#text = new MovingEmbedding(this.#padding.pad(now, length));
    this.#text.moveTo(this.#padding.pad(text, length), way);
  }

  /** Returns the current transition; null if there is none. @param ms the current time. */
  transition(ms: number): PromptTransition | null {
    const text = this.#text.moving;
    if (text === null) return null;
    const { way } = text;
    const others = [...this.#others].map(
      ([input, part]) => [input, part.moving?.from ?? part.at(way.ordinal, ms)] as const,
    );
    const from = { ...Object.fromEntries(others), encoder_hidden_states: text.from };
    return { from, method: way.method, length: way.length, ordinal: way.ordinal, elapsedMs: ms - way.ms };
  }

  /** Continues a transition to this prompt that began in another engine. @param ms the current time. */
  resume(transition: PromptTransition, ms: number): void {
    const { from, method, length, ordinal, elapsedMs } = transition;
    const { encoder_hidden_states: embedding } = from;
    const target = this.#target;
    if (!this.#padding.fits(embedding) || !haveEqualOthers(from, target)) return;
    if (!Object.values(from).every(allFinite)) return;
    this.#target = from;
    this.#text = new MovingEmbedding(embedding);
    this.#others = movingOthers(from);
    this.moveTo(target, { method, length, ordinal, ms: ms - elapsedMs });
  }

  /** Returns the conditioning for the frame with this ordinal at this time. */
  at(ordinal: number, ms: number): Conditioning {
    const { encoder_hidden_states: target } = this.#target;
    const now = this.#text.at(ordinal, ms);
    const text = now === this.#padding.pad(target, now.length) ? target : now;
    const parts: { encoder_hidden_states: Float32Array; [input: string]: Float32Array } = {
      encoder_hidden_states: text,
    };
    for (const [input, part] of this.#others) parts[input] = part.at(ordinal, ms);
    return parts;
  }
}

/** Returns the parts besides the text, as they move. */
function movingOthers(conditioning: Conditioning): Map<string, MovingEmbedding> {
  const { encoder_hidden_states: _, ...others } = conditioning;
  return new Map(Object.entries(others).map(([input, values]) => [input, new MovingEmbedding(values)]));
}

/** Returns whether both have the same parts besides the text, in the same lengths. */
function haveEqualOthers(a: Conditioning, b: Conditioning): boolean {
  const inputs = new Set([...Object.keys(a), ...Object.keys(b)]);
  inputs.delete('encoder_hidden_states');
  return [...inputs].every((input) => a[input]?.length === b[input]?.length);
}
