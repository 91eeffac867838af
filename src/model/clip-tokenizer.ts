/** The parts that CLIP tokenizers differ in. */
export interface ClipVocabulary {
  readonly vocab: Readonly<Record<string, number>>;
  /** Pairs of tokens that are joined, first come first. */
  readonly merges: readonly (readonly string[])[];
  /** Start and end token, recognised inside a text too. */
  readonly special: readonly string[];
}

/**
 * A definition in the format of tokenizer.json that cleans, splits and joins as the class CLIPTokenizer of
 * transformers does (without ftfy): NFC, white space folded, lower case; words, single digits and runs of other
 * signs; byte-level BPE with an end-of-word mark.
 */
export function clipTokenizer({ vocab, merges, special }: ClipVocabulary): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content) => ({
      id: vocab[content],
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: true,
      special: true,
    })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: '\\s+' }, content: ' ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: { Regex: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
          behavior: 'Removed',
          invert: true,
        },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: special.at(-1),
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      vocab,
      merges,
    },
  };
}
