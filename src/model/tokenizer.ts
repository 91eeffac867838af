import { Tokenizer as TextTokenizer } from '@huggingface/tokenizers';
import { join } from 'node:path';
import { clipTokenizer, type ClipVocabulary } from './clip-tokenizer.js';
import { validateTokenizer, validateTokenizerFile, validateVocabulary, type TokenName } from './configs.js';
import { ModelError } from './model-error.js';
import { exists, readModelJson, readModelText } from './model-files.js';

/** Turns a prompt into the input of a text encoder. */
export interface Tokenizer {
  /** Ids in every encoded text. */
  readonly length: number;
  /**
   * The start token, the text, the end token, and padding up to `length`; a longer text is cut.
   * Takes any string, whatever is in it, and never throws.
   */
  encode(text: string): BigInt64Array<ArrayBuffer>;
}

/**
 * Reads the CLIP tokenizer of a model: tokenizer_config.json, and tokenizer.json or vocab.json with merges.txt.
 * Texts become the ids that the class CLIPTokenizer of transformers gives.
 * @param folder the `tokenizer` folder.
 * @param maxLength tokens that the text encoder takes at most, usually 77.
 * @throws {ModelError} if a file is missing or wrong.
 */
export async function loadTokenizer(folder: string, maxLength: number): Promise<Tokenizer> {
  const configPath = join(folder, 'tokenizer_config.json');
  const config = await readModelJson(configPath, validateTokenizer);
  const wholePath = join(folder, 'tokenizer.json');
  const path = (await exists(wholePath)) ? wholePath : join(folder, 'vocab.json');
  const definition =
    path === wholePath
      ? await readModelJson(wholePath, validateTokenizerFile)
      : clipTokenizer(await readVocabulary(folder, [config.bos_token, config.eos_token].map(content)));
  let tokenizer: TextTokenizer;
  try {
    tokenizer = new TextTokenizer(definition, config);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(path, `not a tokenizer that can be used: ${why}`, { cause });
  }
  const idOf = (token: TokenName): bigint => {
    const id = tokenizer.token_to_id(content(token));
    if (id !== undefined) return BigInt(id);
    throw new ModelError(configPath, `names the token ${content(token)}, which is not in ${path}`);
  };
  const start = idOf(config.bos_token);
  const end = idOf(config.eos_token);
  const pad = idOf(config.pad_token ?? config.eos_token);
  const length = Math.min(config.model_max_length ?? maxLength, maxLength);
  return {
    length,
    encode(text) {
      const { ids } = tokenizer.encode(text, { add_special_tokens: false });
      const row = new BigInt64Array(length).fill(pad);
      const used = Math.min(ids.length, length - 2);
      row[0] = start;
      for (let i = 0; i < used; i++) row[i + 1] = BigInt(ids[i] ?? 0);
      row[used + 1] = end;
      return row;
    },
  };
}

async function readVocabulary(folder: string, special: readonly string[]): Promise<ClipVocabulary> {
  const mergesPath = join(folder, 'merges.txt');
  const [vocab, text] = await Promise.all([
    readModelJson(join(folder, 'vocab.json'), validateVocabulary),
    readModelText(mergesPath),
  ]);
  const merges = text
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#version'))
    .map((line) => line.split(' '));
  const wrong = merges.find((pair) => pair.length !== 2);
  if (wrong) throw new ModelError(mergesPath, `"${wrong.join(' ')}" is no pair of tokens`);
  return { vocab, merges, special };
}

function content(token: TokenName): string {
  return typeof token === 'string' ? token : token.content;
}
