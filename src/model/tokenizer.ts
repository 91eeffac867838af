import { Tokenizer as TextTokenizer } from '@huggingface/tokenizers';
import { join } from 'node:path';
import { clipTokenizer } from './clip-tokenizer.js';
import { validateTokenizer, validateTokenizerFile, validateVocabulary, type TokenName } from './configs.js';
import { ModelError } from './model-error.js';
import { exists, readModelJson, readModelText } from './model-files.js';
import type { PromptSegment } from './prompt.js';

/** Turns a prompt into the input of a text encoder. */
export interface Tokenizer {
  /** Ids in every encoded text. */
  readonly length: number;
  /**
   * The start token, the text, the end token, and padding up to `length`; a longer text is cut.
   * Takes any string, whatever is in it, and never throws.
   */
  encode(text: string): BigInt64Array<ArrayBuffer>;
  /**
   * The same for a text of any length, in chunks that each have a start and an end.
   * @param most chunks; what is longer is cut. At least one is given.
   */
  encodeChunks(segments: readonly PromptSegment[], most: number): readonly TokenChunk[];
}

export interface TokenChunk {
  readonly ids: BigInt64Array<ArrayBuffer>;
  /** One for each id; null if all are 1. */
  readonly weights: Float32Array | null;
}

/**
 * Reads the CLIP tokenizer of a model: tokenizer_config.json, and vocab.json with merges.txt or tokenizer.json.
 * Texts become the ids that the class CLIPTokenizer of transformers gives.
 * @param folder the `tokenizer` folder.
 * @param maxLength tokens that the text encoder takes at most, usually 77.
 * @throws {ModelError} if a file is missing or wrong.
 */
export async function loadTokenizer(folder: string, maxLength: number): Promise<Tokenizer> {
  const configPath = join(folder, 'tokenizer_config.json');
  const config = await readModelJson(configPath, validateTokenizer);
  const padToken = config.pad_token ?? config.eos_token;
  const { path, vocab, merges } = await readVocabulary(folder);
  const idOf = (token: TokenName): bigint => {
    const id = vocab[content(token)];
    if (id !== undefined) return BigInt(id);
    throw new ModelError(configPath, `names the token ${content(token)}, which is not in ${path}`);
  };
  const start = idOf(config.bos_token);
  const end = idOf(config.eos_token);
  const pad = idOf(padToken);
  const special = [...new Set([config.bos_token, config.eos_token, padToken].map(content))];
  const tokenizer = new TextTokenizer(clipTokenizer(vocab, merges, special), config);
  const length = Math.min(config.model_max_length ?? maxLength, maxLength);
  const room = length - 2;
  // The end token stands for what a vocabulary lacks, too.
  const idsOf = (text: string): readonly bigint[] =>
    tokenizer
      .encode(text, { add_special_tokens: false })
      .ids.map((id) => (id === undefined ? end : BigInt(id)));
  const rowOf = (ids: readonly bigint[]): BigInt64Array<ArrayBuffer> => {
    const row = new BigInt64Array(length).fill(pad);
    row.set([start, ...ids, end]);
    return row;
  };
  return {
    length,
    encode: (text) => rowOf(idsOf(text).slice(0, room)),
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
  const [vocab, text] = await Promise.all([
    readModelJson(path, validateVocabulary),
    readModelText(mergesPath),
  ]);
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
    throw new ModelError(path, `the merge "${pair.join(' ')}" is no pair of tokens`);
  });
}

function content(token: TokenName): string {
  return typeof token === 'string' ? token : token.content;
}
