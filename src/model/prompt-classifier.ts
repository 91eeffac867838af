import { createValidator } from '../text/validator.js';
import { ModelError } from './model-error.js';
import { exists, readModelJson } from './model-files.js';
import { parsePrompt } from './prompt.js';

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
export type Names = Readonly<Record<string, number>>;

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

/** Nothing is near to such a text: no letters, digits or pictograms. */
const meaningless = /^[\s\p{P}\p{Sm}\p{Sc}\p{Sk}\p{C}\p{M}\ufffd]*$/u;
/** A less probable style is not near, if none is likelier. */
const leastShare = 0.1;

/**
 * Returns the style, the mood, or both, that are nearest in meaning to a prompt that names neither in words that the
 * model knows; null if it names one, or nothing is near.
 */
export function nearestNames(
  groups: readonly PromptGroup[],
  text: string,
  probabilities: Probabilities,
): { readonly styles: Names; readonly moods: Names } | null {
  const told = groups.findIndex(({ kind }) => kind === 'nearest');
  if ((probabilities[told]?.[1] ?? 0) < 0.5) return null;
  const plain = parsePrompt(text)
    .map((segment) => segment.text)
    .join('');
  if (meaningless.test(plain) || hasStyle(groups, plain)) return null;
  const nearest = (
    kind: 'style' | 'mood',
  ): { readonly names: Names; readonly share: number; readonly isLikely: boolean } => {
    const [best] = ranked(groups, probabilities, kind);
    if (best === undefined) return { names: {}, share: 0, isLikely: false };
    const none = groups.flatMap((group, at) => (group.kind === kind ? [probabilities[at]?.[0] ?? 0] : []));
    return { names: Object.fromEntries([best]), share: best[1], isLikely: best[1] > Math.max(...none) };
  };
  const [style, mood] = [nearest('style'), nearest('mood')];
  if (mood.isLikely) return { styles: style.isLikely ? style.names : {}, moods: mood.names };
  return style.isLikely || style.share >= leastShare ? { styles: style.names, moods: {} } : null;
}

/** Returns whether a text has a style's name in it. */
function hasStyle(groups: readonly PromptGroup[], text: string): boolean {
  const words = (value: string): string =>
    ` ${value
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .join(' ')} `;
  const inText = words(text);
  return groups.some(
    ({ kind, names }) => kind === 'style' && names.some((name) => inText.includes(words(name))),
  );
}

/** Returns a prompt of the nearest names; an empty text if there are none. */
export function nearestName(
  groups: readonly PromptGroup[],
  text: string,
  probabilities: Probabilities,
): string {
  const { styles, moods } = nearestNames(groups, text, probabilities) ?? {};
  return Object.keys({ ...styles, ...moods }).join(', ');
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
    const name = nearestName(this.#groups, text, classifyAll(this.#groups, states));
    this.#known.set(states, name);
    return name;
  }
}
