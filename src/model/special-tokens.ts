import { join } from 'node:path';
import { exists, readModelJson } from './model-files.js';
import {
  tokenRoles,
  validateAddedTokens,
  validateTokenizerFile,
  validateTokensMap,
  type NamedTokens,
  type TokenizerConfig,
  type TokenName,
  type TokenObject,
  type TokenRole,
} from './tokenizer-files.js';

/** A token that is recognised as a whole inside a text. */
export interface AddedToken extends Required<TokenObject> {
  /** Null if only the vocabulary knows it. */
  readonly id: number | null;
}

export interface SpecialTokens {
  readonly bos: string;
  readonly eos: string;
  readonly pad: string;
  /** Stands for text that the vocabulary lacks. */
  readonly unk: string;
  /** All tokens that are recognised inside a text, including the four above; their contents are unique. */
  readonly added: readonly AddedToken[];
}

/** Defaults of the class CLIPTokenizer. */
const start = '<|startoftext|>';
const end = '<|endoftext|>';

/**
 * Finds the special tokens of a tokenizer folder as `CLIPTokenizer.from_pretrained` of transformers 5 does: names come
 * from tokenizer_config.json; unless that has `added_tokens_decoder`, special_tokens_map.json overrides them, and
 * added tokens come from added_tokens.json and then tokenizer.json. Unnamed tokens have the default of the class.
 * @throws {ModelError} if a file is invalid.
 */
export async function readSpecialTokens(folder: string, config: TokenizerConfig): Promise<SpecialTokens> {
  const { added_tokens_decoder: decoder } = config;
  const names: NamedTokens = decoder ? config : { ...config, ...(await readTokensMap(folder)) };
  const added = decoder
    ? Object.entries(decoder).map(([id, token]) => addedToken(token, Number(id)))
    : await readAddedTokens(folder, names);
  const all = new Map(added.map((token) => [token.content, token]));
  const named = tokenRoles.flatMap((role) => names[role] ?? defaultOf(role) ?? []);
  for (const token of [...named, ...extraTokens(names)]) {
    // A token that is also among the added tokens takes its flags from there.
    if (!all.has(contentOf(token))) all.set(contentOf(token), addedToken(token, null));
  }
  const nameOf = (role: TokenRole, fallback: string): string => contentOf(names[role] ?? fallback);
  const eos = nameOf('eos_token', end);
  return {
    bos: nameOf('bos_token', start),
    eos,
    // With null, transformers refuses to pad.
    pad: names.pad_token === null ? eos : nameOf('pad_token', end),
    unk: nameOf('unk_token', end),
    added: [...all.values()],
  };
}

async function readTokensMap(folder: string): Promise<NamedTokens> {
  const path = join(folder, 'special_tokens_map.json');
  return (await exists(path)) ? readModelJson(path, validateTokensMap) : {};
}

/** Reads the tokens of added_tokens.json, then those of tokenizer.json: the last one of equal content counts. */
async function readAddedTokens(folder: string, names: NamedTokens): Promise<readonly AddedToken[]> {
  const special = new Set(
    [...tokenRoles.flatMap((role) => names[role] ?? []), ...extraTokens(names)].map(contentOf),
  );
  const list = join(folder, 'added_tokens.json');
  const listed = (await exists(list)) ? await readModelJson(list, validateAddedTokens) : {};
  const whole = join(folder, 'tokenizer.json');
  const serialized = (await exists(whole)) ? await readModelJson(whole, validateTokenizerFile) : null;
  return [
    ...Object.entries(listed).map(([content, id]) =>
      addedToken({ content, special: special.has(content) }, id),
    ),
    ...(serialized?.added_tokens ?? []).map((token) => addedToken(token, token.id)),
  ];
}

/** Returns further tokens that are recognised in a text; transformers 4 called them additional. */
function extraTokens({
  extra_special_tokens: extra,
  additional_special_tokens: older,
}: NamedTokens): TokenName[] {
  const tokens = Object.values((extra ?? older ?? []) as Readonly<Record<string, unknown>>);
  return tokens.filter((token): token is TokenName => {
    return typeof token === 'string' || (typeof token === 'object' && token !== null && 'content' in token);
  });
}

function addedToken(token: TokenName, id: number | null): AddedToken {
  const given = typeof token === 'string' ? { content: token, special: true } : token;
  const { content, single_word = false, lstrip = false, rstrip = false, special = id === null } = given;
  // The default of AddedToken.
  const { normalized = !special } = given;
  return { content, single_word, lstrip, rstrip, special, normalized, id };
}

function defaultOf(role: TokenRole): string | null {
  if (role === 'bos_token') return start;
  return role === 'eos_token' || role === 'pad_token' || role === 'unk_token' ? end : null;
}

function contentOf(token: TokenName): string {
  return typeof token === 'string' ? token : token.content;
}
