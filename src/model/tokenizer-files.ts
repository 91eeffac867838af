import { createValidator } from '../text/validator.js';

// The fields that matter here in the files of a `tokenizer` folder; others are allowed.

/** The text of a token, or an object with it and how it is matched (AddedToken of transformers). */
export type TokenName = string | TokenObject;

export interface TokenObject {
  readonly content: string;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
  readonly normalized?: boolean;
  readonly special?: boolean;
}

/** The names of special tokens in transformers (SPECIAL_TOKENS_ATTRIBUTES). */
export const tokenRoles = [
  'bos_token',
  'eos_token',
  'unk_token',
  'pad_token',
  'sep_token',
  'cls_token',
  'mask_token',
] as const;
export type TokenRole = (typeof tokenRoles)[number];

/** Special tokens as a file names them: null names none, a missing field leaves the default. */
export type NamedTokens = { readonly [Role in TokenRole]?: TokenName | null } & {
  readonly extra_special_tokens?: unknown;
  readonly additional_special_tokens?: unknown;
};

export interface TokenizerConfig extends NamedTokens {
  readonly model_max_length?: number | null;
  /** All added tokens by their ids. If it is present, transformers reads no other file for special tokens. */
  readonly added_tokens_decoder?: Readonly<Record<string, TokenObject>>;
}

const object = {
  type: 'object',
  required: ['content'],
  properties: {
    content: { type: 'string' },
    ...Object.fromEntries(
      ['single_word', 'lstrip', 'rstrip', 'normalized', 'special'].map((flag) => [flag, { type: 'boolean' }]),
    ),
  },
} as const;
const named = Object.fromEntries(
  tokenRoles.map((role) => [role, { anyOf: [{ type: 'string' }, object, { type: 'null' }] }]),
);

/** tokenizer_config.json */
export const validateTokenizer = createValidator<TokenizerConfig>({
  type: 'object',
  properties: {
    ...named,
    tokenizer_class: { enum: ['CLIPTokenizer', 'CLIPTokenizerFast'] },
    model_max_length: { type: ['integer', 'null'], minimum: 3 },
    // CLIP was trained with these: on the other side, every position would be wrong.
    padding_side: { enum: ['right'] },
    truncation_side: { enum: ['right'] },
    added_tokens_decoder: { type: 'object', additionalProperties: object },
  },
});

/** special_tokens_map.json */
export const validateTokensMap = createValidator<NamedTokens>({ type: 'object', properties: named });

const ids = { type: 'object', additionalProperties: { type: 'integer', minimum: 0 } } as const;

/** added_tokens.json: ids by the texts of tokens. */
export const validateAddedTokens = createValidator<Readonly<Record<string, number>>>(ids);

const vocabulary = { ...ids, minProperties: 1 } as const;

/** vocab.json */
export const validateVocabulary = createValidator<Readonly<Record<string, number>>>(vocabulary);

/** tokenizer.json, of which only vocabulary and added tokens matter: all CLIP tokenizers split words the same way. */
export const validateTokenizerFile = createValidator<{
  readonly added_tokens?: readonly (TokenObject & { readonly id: number })[];
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly string[])[];
  };
}>({
  type: 'object',
  required: ['model'],
  properties: {
    added_tokens: {
      type: 'array',
      items: {
        ...object,
        required: ['id', 'content'],
        properties: { ...object.properties, id: { type: 'integer', minimum: 0 } },
      },
    },
    model: {
      type: 'object',
      required: ['vocab', 'merges'],
      properties: {
        type: { enum: ['BPE'] },
        vocab: vocabulary,
        merges: {
          type: 'array',
          items: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
        },
      },
    },
  },
});
