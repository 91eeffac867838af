import type { StreamParameters } from '@millrace/protocol';
import { blend, type BlendMethod } from '../../../diffusion/blend.js';
import type { Conditioning } from '../../../diffusion/stream.js';
import { NearestNames, type PromptGroup } from '../../../model/prompt-classifier.js';
import { EmbeddingCache } from './embedding-cache.js';
import { weightedPrompts } from '../planning/plan.js';
import { Padding } from './padding.js';

/** What embeds prompts, and what the model's folder says of them. */
export interface PromptModel {
  embed(text: string): Promise<Conditioning>;
  readonly folder: {
    /** Whether an empty negative prompt counts as no prompt at all. */
    readonly zeroEmptyNegative: boolean;
    /** What finds the styles and moods that prompts name; none without a classifier. */
    readonly promptGroups?: readonly PromptGroup[];
  };
}

export interface PromptPair {
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  /** The second of two prompts that are composed by their predictions; null if they are blended. */
  readonly second: Conditioning | null;
}

/** Most prompts that are kept. */
const capacity = 256;

/** Embeds the prompts of all users, each as it is drawn. Equal prompts share arrays, which must not be modified. */
export class PromptEmbedder {
  readonly padding: Padding;
  readonly #cache: EmbeddingCache;
  readonly #names: NearestNames;
  /** For an empty negative prompt; null embeds it like any other. */
  readonly #nothing: Conditioning | null;

  private constructor(model: PromptModel, empty: Conditioning, onLookup: (hit: boolean) => void) {
    const { zeroEmptyNegative, promptGroups } = model.folder;
    this.#cache = new EmbeddingCache((text) => model.embed(text), { capacity, onLookup });
    this.#names = new NearestNames(promptGroups ?? []);
    this.#nothing = zeroEmptyNegative ? noPrompt(empty) : null;
    this.padding = new Padding(empty.encoder_hidden_states, this.#nothing?.encoder_hidden_states ?? null);
  }

  /** @param onLookup called for every text that is looked up, with whether it was there. */
  static async create(
    model: PromptModel,
    onLookup: (hit: boolean) => void = () => {},
  ): Promise<PromptEmbedder> {
    return new PromptEmbedder(model, await model.embed(''), onLookup);
  }

  /**
   * Embeds the prompts of a stream, blended by weight.
   * @throws {ParameterError} if all weights are 0.
   */
  async embed(parameters: StreamParameters): Promise<PromptPair> {
    const prompts = weightedPrompts(parameters);
    const conditionings: Conditioning[] = [];
    for (const { text } of prompts) conditionings.push(await this.embedPositive(text));
    const parts = this.padding
      .align(conditionings)
      .map((conditioning, i) => ({ conditioning, weight: prompts[i]?.weight ?? 0 }));
    const negative = await this.embedNegative(parameters.negative_prompt);
    const [only, other] = parts;
    if (parameters.prompt_composition !== 'mix' && only && other)
      return { positive: only.conditioning, second: other.conditioning, negative };
    // A single prompt keeps the cache's own arrays, by which an unchanged prompt is recognized.
    const positive =
      parts.length === 1 && only ? only.conditioning : blendAll(parts, parameters.prompt_blend);
    return { positive, negative, second: null };
  }

  /**
   * Embeds a prompt. One that names nothing in words that the model knows has states between several styles, which hardly
   * change a picture: it is drawn by the name of the nearest instead.
   */
  async embedPositive(text: string): Promise<Conditioning> {
    const own = await this.#cache.get(text);
    const name = this.#names.of(text, own.encoder_hidden_states);
    return name === '' ? own : this.#cache.get(name);
  }

  /** Embeds a negative prompt, always by its own words. */
  async embedNegative(text: string): Promise<Conditioning> {
    return text === '' && this.#nothing ? this.#nothing : this.#cache.get(text);
  }
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
function noPrompt(conditioning: Conditioning): Conditioning {
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
