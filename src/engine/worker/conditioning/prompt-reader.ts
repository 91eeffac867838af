import type { StreamParameters, UnderstoodPrompt } from '@millrace/protocol';
import {
  classifyAll,
  namesOf,
  nearestName,
  nearestNames,
  type Names,
  type Probabilities,
  type PromptGroup,
} from '../../../model/prompt-classifier.js';
import { parsePrompt } from '../../../model/prompt.js';
import type { ModelRuntime } from '../networks/runtime.js';
import { weightedPrompts } from '../planning/plan.js';
import { EmbeddingCache } from './embedding-cache.js';

type Runtime = Pick<ModelRuntime, 'countTokens' | 'embed'> & {
  readonly folder: { readonly promptGroups?: readonly PromptGroup[] };
};

/** Less sure names are left out. */
const leastShare = 0.1;
/** A name that is at least so probable is what a text names. */
const sureShare = 0.5;
/** Most words, and weighted parts, that are told about: each word costs two calls of the text encoder. */
const mostParts = 16;
/** A word that changes all probabilities by less changes nothing. */
const leastChange = 0.1;

/** Finds out what the model makes of prompts, so that users can be told. */
export class PromptReader {
  readonly #runtime: Runtime;
  readonly #groups: readonly PromptGroup[];
  readonly #known = new EmbeddingCache((prompt) => this.#understand(prompt), {
    capacity: 256,
    onLookup: () => {},
  });

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#groups = runtime.folder.promptGroups ?? [];
  }

  /** Returns what the model makes of each prompt of these parameters. */
  async read(parameters: StreamParameters): Promise<readonly UnderstoodPrompt[]> {
    const read: UnderstoodPrompt[] = [];
    for (const { text } of weightedPrompts(parameters)) read.push(await this.#known.get(text));
    return read;
  }

  async #understand(text: string): Promise<UnderstoodPrompt> {
    const segments = parsePrompt(text);
    const tokens = this.#runtime.countTokens(text);
    const weighted = segments.filter(({ weight }) => weight !== 1).slice(0, mostParts);
    const weights = Object.fromEntries(weighted.map((segment) => [segment.text, segment.weight]));
    const plain = segments.map((segment) => segment.text).join('');
    const named = this.#groups.length > 0 ? await this.#name(text, plain) : {};
    return {
      text,
      tokens: tokens.read,
      ...(tokens.all > tokens.read && { truncated: tokens.all - tokens.read }),
      // What is drawn by another name has no weights.
      ...(weighted.length > 0 && !named.nearest && { weights }),
      ...named,
    };
  }

  /** @param plain the prompt without the signs of weights. */
  async #name(
    text: string,
    plain: string,
  ): Promise<Pick<UnderstoodPrompt, 'styles' | 'moods' | 'nearest' | 'ignored'>> {
    const whole = await this.#probabilities(text);
    const nearest = nearestNames(this.#groups, text, whole);
    const { styles, moods } = nearest ?? this.#namedBy(whole);
    const sure = Object.entries({ ...styles, ...moods }).flatMap(([name, share]) =>
      share >= sureShare ? [name] : [],
    );
    const ignored = await this.#ignoredWords(
      plain,
      plain === text ? whole : await this.#probabilities(plain),
      wordsOf(sure.join(' ')),
    );
    return {
      styles,
      moods,
      ...(nearest && { nearest: true }),
      ...(ignored.length > 0 && { ignored: ignored.join(' ') }),
    };
  }

  #namedBy(probabilities: Probabilities): { readonly styles: Names; readonly moods: Names } {
    const named = (kind: 'style' | 'mood'): Readonly<Record<string, number>> =>
      namesOf(this.#groups, probabilities, { kind, least: leastShare });
    return { styles: named('style'), moods: named('mood') };
  }

  /**
   * Returns the words that name nothing alone and without which the prompt names the same. Beside a style or mood in
   * known words, a word that would only get the nearest one names nothing, unless that is the prompt's own.
   * @param names words of what the whole surely names: they are never without effect.
   * @param whole the probabilities of all names by the whole text.
   */
  async #ignoredWords(
    text: string,
    whole: Probabilities,
    names: ReadonlySet<string>,
  ): Promise<readonly string[]> {
    const pieces = text.split(/([\p{L}\p{N}]+)/u);
    const ignored = new Set<string>();
    const nearest = nearestName(this.#groups, text, whole);
    // Every second piece is a word.
    const words = pieces.flatMap((word, at) => (at % 2 === 1 ? [{ word, at }] : []));
    for (const { word, at } of words.slice(0, mostParts)) {
      // Articles and prepositions change nothing, which nobody needs to be told.
      if (fillers.has(word.toLowerCase()) || names.has(word.toLowerCase())) continue;
      const alone = await this.#probabilities(word);
      const counts = nearest !== '' || nearestName(this.#groups, word, alone) === '';
      const before = this.#ofNames(whole);
      const named = this.#ofNames(alone).some(([none = 0, ...shares], group) =>
        counts
          ? none < 0.5
          : shares.some((share, name) => share >= sureShare && (before[group]?.[name + 1] ?? 0) >= sureShare),
      );
      if (named) continue;
      const others = pieces.toSpliced(at, 1).join('');
      const without = await this.#probabilities(others);
      if (nearestName(this.#groups, others, without) !== nearest) continue;
      const changes = this.#ofNames(without).flatMap((group, i) =>
        group.map((share, name) => Math.abs(share - (before[i]?.[name] ?? 0))),
      );
      if (Math.max(...changes) < leastChange) ignored.add(word);
    }
    return [...ignored];
  }

  /** Returns the probabilities of styles and moods. */
  #ofNames(probabilities: Probabilities): Probabilities {
    return probabilities.filter((_, group) => this.#groups[group]?.kind !== 'nearest');
  }

  async #probabilities(text: string): Promise<Probabilities> {
    const { encoder_hidden_states: states } = await this.#runtime.embed(text);
    return classifyAll(this.#groups, states);
  }
}

/** Returns the words of a text, in lower case. */
function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
}

const fillers = new Set([
  'a',
  'an',
  'the',
  'of',
  'in',
  'on',
  'at',
  'as',
  'by',
  'and',
  'to',
  'it',
  'my',
  'is',
]);
