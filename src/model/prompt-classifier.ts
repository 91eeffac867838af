import { createValidator } from '../text/validator.js';
import { ModelError } from './model-error.js';
import { exists, readModelJson } from './model-files.js';

/**
 * A linear layer with softmax on the mean of a prompt's token states. Its first class is that the prompt names none,
 * the others are those of `names`. `nearest` has one name: that the style or mood is not named in words that the model
 * knows, but the nearest in meaning.
 */
export interface PromptGroup {
  readonly kind: 'style' | 'mood' | 'nearest';
  readonly names: readonly string[];
  /** By class, one for each value of a token's state. */
  readonly weight: readonly (readonly number[])[];
  /** By class. */
  readonly bias: readonly number[];
}

const numbers = { type: 'array', items: { type: 'number' } };

const validate = createValidator<{ readonly groups: readonly PromptGroup[] }>({
  type: 'object',
  required: ['groups'],
  additionalProperties: false,
  properties: {
    groups: {
      type: 'array',
      maxItems: 3,
      items: {
        type: 'object',
        required: ['kind', 'names', 'weight', 'bias'],
        additionalProperties: false,
        properties: {
          kind: { enum: ['style', 'mood', 'nearest'] },
          names: { type: 'array', minItems: 1, maxItems: 200, uniqueItems: true, items: { type: 'string' } },
          weight: { type: 'array', items: numbers },
          bias: numbers,
        },
      },
    },
  },
});

/**
 * Reads text_encoder/classifier.json of a model folder; returns no groups if there is none.
 * @param width values of a token's state.
 * @throws {ModelError} if it is not JSON, or its numbers do not fit its names or the width.
 */
export async function readPromptClassifier(path: string, width: number): Promise<readonly PromptGroup[]> {
  if (!(await exists(path))) return [];
  const { groups } = await readModelJson(path, validate);
  for (const { kind, names, weight, bias } of groups) {
    if (kind === 'nearest' && names.length !== 1)
      throw new ModelError(path, `the group nearest has ${names.length} names, not one`);
    const classes = names.length + 1;
    if (weight.length === classes && bias.length === classes && weight.every((row) => row.length === width)) {
      continue;
    }
    throw new ModelError(
      path,
      `the group ${kind} with ${names.length} names needs ${classes} rows of ${width} weights and ${classes} biases; ` +
        'use the file that belongs to the text encoder',
    );
  }
  return groups;
}

/** Returns the probability of each class of a group. @param states token states [tokens, width]. */
export function classify({ weight, bias }: PromptGroup, states: Float32Array): readonly number[] {
  const width = weight[0]?.length ?? 1;
  const pooled = new Float64Array(width);
  const scale = width / states.length;
  for (const [i, value] of states.entries()) pooled[i % width] = (pooled[i % width] ?? 0) + value * scale;
  const logits = weight.map((row, i) =>
    row.reduce((sum, factor, at) => sum + factor * (pooled[at] ?? 0), bias[i] ?? 0),
  );
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** The probabilities of each class, by group. */
export type Probabilities = readonly (readonly number[])[];

/** Returns the probabilities of all groups. @param states token states [tokens, width]. */
export function classifyAll(groups: readonly PromptGroup[], states: Float32Array): Probabilities {
  return groups.map((group) => classify(group, states));
}

/** Names with their probabilities, most probable first. */
type Names = Readonly<Record<string, number>>;

/** Returns all names of a kind with their probabilities, most probable first. */
function ranked(
  groups: readonly PromptGroup[],
  probabilities: Probabilities,
  wanted: 'style' | 'mood',
): readonly (readonly [name: string, share: number])[] {
  return groups
    .flatMap(({ kind, names }, at) =>
      kind === wanted ? names.map((name, i) => [name, probabilities[at]?.[i + 1] ?? 0] as const) : [],
    )
    .sort(([, a], [, b]) => b - a);
}

/** Returns the names of a kind that are at least so probable. */
export function namesOf(
  groups: readonly PromptGroup[],
  probabilities: Probabilities,
  { kind, least }: { readonly kind: 'style' | 'mood'; readonly least: number },
): Names {
  return Object.fromEntries(ranked(groups, probabilities, kind).filter(([, share]) => share >= least));
}

/**
 * Returns whether a prompt names neither a style nor a mood in words that the model knows, though one is near in meaning.
 * Nothing is near to punctuation.
 */
export function isNearest(
  groups: readonly PromptGroup[],
  text: string,
  probabilities: Probabilities,
): boolean {
  if (/^[\s\p{P}\p{Sm}\p{Sc}\p{Sk}]*$/u.test(text)) return false;
  const group = groups.findIndex(({ kind }) => kind === 'nearest');
  return (probabilities[group]?.[1] ?? 0) >= 0.5;
}

/** Returns the style, the mood, or both, that are nearest in meaning to a prompt of which `isNearest` is true. */
export function nearestNames(
  groups: readonly PromptGroup[],
  probabilities: Probabilities,
): { readonly styles: Names; readonly moods: Names } {
  const nearest = (kind: 'style' | 'mood'): { readonly names: Names; readonly isLikely: boolean } => {
    const [best] = ranked(groups, probabilities, kind);
    if (best === undefined) return { names: {}, isLikely: false };
    const none = groups.flatMap((group, at) => (group.kind === kind ? [probabilities[at]?.[0] ?? 0] : []));
    return { names: Object.fromEntries([best]), isLikely: best[1] > Math.max(...none) };
  };
  const [style, mood] = [nearest('style'), nearest('mood')];
  const moods = mood.isLikely ? mood.names : {};
  // Something is near: if neither is likelier than none, it is the style.
  return { styles: style.isLikely || !mood.isLikely ? style.names : {}, moods };
}

/** Names what is nearest in meaning to prompts that name nothing in words that the model knows. */
export class NearestNames {
  readonly #groups: readonly PromptGroup[];
  /** By the states of a prompt: streams ask again with every change of their parameters. */
  readonly #known = new WeakMap<Float32Array, string>();

  constructor(groups: readonly PromptGroup[]) {
    this.#groups = groups;
  }

  /**
   * Returns a prompt that names it; an empty text if the prompt itself names something, or nothing is near.
   * @param states token states [tokens, width] of the text, which must not be modified.
   */
  of(text: string, states: Float32Array): string {
    const known = this.#known.get(states);
    if (known !== undefined) return known;
    const name = this.#find(text, states);
    this.#known.set(states, name);
    return name;
  }

  #find(text: string, states: Float32Array): string {
    const probabilities = classifyAll(this.#groups, states);
    if (!isNearest(this.#groups, text, probabilities)) return '';
    const { styles, moods } = nearestNames(this.#groups, probabilities);
    return Object.keys({ ...styles, ...moods }).join(', ');
  }
}
