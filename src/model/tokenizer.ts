import { Tokenizer as TextTokenizer } from '@huggingface/tokenizers';
import { join } from 'node:path';
import { clipTokenizer } from './clip-tokenizer.js';
import { ModelError } from './model-error.js';
import { exists, readModelJson, readModelText } from './model-files.js';
import type { PromptSegment } from './prompt.js';
import { readSpecialTokens } from './special-tokens.js';
import { validateTokenizer, validateTokenizerFile, validateVocabulary } from './tokenizer-files.js';

/** Turns a prompt into the input of a text encoder. */
export interface Tokenizer {
  /** Ids in every encoded text. */
  readonly length: number;
  /**
   * Returns the start token, the text, the end token, and padding up to `length`; a longer text is cut.
   * Takes any string and never throws.
   */
  encode(text: string): BigInt64Array<ArrayBuffer>;
  /** Returns how many tokens a text has, without start and end. */
  count(segments: readonly PromptSegment[]): number;
  /**
   * Does the same for a text of any length, in chunks that each have a start and an end.
   * @param most chunks; a longer text is cut.
   * @returns at least one chunk.
   */
  encodeChunks(segments: readonly PromptSegment[], most: number): readonly TokenChunk[];
}

export interface TokenChunk {
  readonly ids: BigInt64Array<ArrayBuffer>;
  /** One for each id; null if all are 1. */
  readonly weights: Float32Array | null;
}

/**
 * Reads the CLIP tokenizer of a model: vocab.json with merges.txt or tokenizer.json, and the files that name special
 * tokens. Ids are those of the class CLIPTokenizer of transformers.
 * @param folder the `tokenizer` folder.
 * @param maxLength tokens that the text encoder takes at most, usually 77.
 * @param tokenCount how many tokens the text encoder knows: ids are below it. Null if unknown.
 * @throws {ModelError} if a file is missing or invalid.
 */
export async function loadTokenizer(
  folder: string,
  maxLength: number,
  tokenCount: number | null = null,
): Promise<Tokenizer> {
  const configPath = join(folder, 'tokenizer_config.json');
  const config = (await exists(configPath)) ? await readModelJson(configPath, validateTokenizer) : {};
  const names = await readSpecialTokens(folder, config);
  const { path, vocab, merges } = await readVocabulary(folder);
  const added = names.added.flatMap(({ id: given, ...token }) => {
    const id = vocab[token.content] ?? given;
    // A token without an id has no embedding.
    return id === null ? [] : [{ ...token, id }];
  });
  if (tokenCount !== null) checkIds(path, vocab, added, tokenCount);
  const ids = new Map(added.map(({ content, id }) => [content, BigInt(id)]));
  const idOf = (token: string): bigint => {
    const id = ids.get(token);
    if (id !== undefined) return id;
    throw new ModelError(
      folder,
      `names the token ${token}, which is not in ${path}; download the folder again`,
    );
  };
  const start = idOf(names.bos);
  const end = idOf(names.eos);
  const pad = idOf(names.pad);
  const unknown = ids.get(names.unk) ?? end;
  const tokenizer = new TextTokenizer(clipTokenizer(vocab, merges, added), {});
  const length = Math.min(config.model_max_length ?? maxLength, maxLength);
  const room = length - 2;
  const idsOf = (text: string): readonly bigint[] =>
    tokenizer
      .encode(text, { add_special_tokens: false })
      .ids.map((id) => (id === undefined ? unknown : BigInt(id)));
  const rowOf = (ids: readonly bigint[]): BigInt64Array<ArrayBuffer> => {
    const row = new BigInt64Array(length).fill(pad);
    row.set([start, ...ids, end]);
    return row;
  };
  return {
    length,
    encode: (text) => rowOf(idsOf(text).slice(0, room)),
    count: (segments) => segments.reduce((sum, { text }) => sum + idsOf(text).length, 0),
    encodeChunks(segments, most) {
      const tokens = segments.flatMap(({ text, weight }) => idsOf(text).map((id) => ({ id, weight })));
      const count = Math.min(most, Math.max(1, Math.ceil(tokens.length / room)));
      return Array.from({ length: count }, (_, i) => {
        const chunk = tokens.slice(i * room, (i + 1) * room);
        const ids = rowOf(chunk.map(({ id }) => id));
        if (chunk.every(({ weight }) => weight === 1)) return { ids, weights: null };
        const weights = new Float32Array(length).fill(1);
        weights.set(
          chunk.map(({ weight }) => weight),
          1,
        );
        return { ids, weights };
      });
    },
  };
}

/** @throws {ModelError} if a token has an id that the text encoder does not have. */
function checkIds(
  path: string,
  vocab: Readonly<Record<string, number>>,
  added: readonly { readonly content: string; readonly id: number }[],
  tokenCount: number,
): void {
  // Not over pairs: making tens of thousands of them takes several times as long.
  const name = Object.keys(vocab).find((token) => (vocab[token] ?? 0) >= tokenCount);
  const beyond =
    name === undefined ? added.find(({ id }) => id >= tokenCount) : { content: name, id: vocab[name] };
  if (beyond === undefined) return;
  throw new ModelError(
    path,
    `the token ${beyond.content} has the id ${beyond.id}, but the text encoder knows ${tokenCount} tokens; ` +
      'use the tokenizer and the text encoder from the same model',
  );
}

interface Vocabulary {
  /** The file that holds it. */
  readonly path: string;
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (readonly string[])[];
}

async function readVocabulary(folder: string): Promise<Vocabulary> {
  const path = join(folder, 'vocab.json');
  const wholePath = join(folder, 'tokenizer.json');
  if (!(await exists(path)) && (await exists(wholePath))) {
    const { model } = await readModelJson(wholePath, validateTokenizerFile);
    return { path: wholePath, vocab: model.vocab, merges: pairs(wholePath, model.merges) };
  }
  const mergesPath = join(folder, 'merges.txt');
  const vocab = await readModelJson(path, validateVocabulary);
  const text = await readModelText(mergesPath);
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
  return { path, vocab, merges: pairs(mergesPath, lines) };
}

function pairs(
  path: string,
  merges: readonly (string | readonly string[])[],
): readonly (readonly string[])[] {
  return merges.map((merge) => {
    const pair = typeof merge === 'string' ? merge.split(' ') : merge;
    if (pair.length === 2) return pair;
    throw new ModelError(path, `the merge "${pair.join(' ')}" is not a pair of tokens`);
  });
}
