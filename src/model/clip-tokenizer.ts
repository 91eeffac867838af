import type { AddedToken } from './special-tokens.js';

/** White space is named by its Unicode property, since JavaScript's own class counts other characters. */
const words = String.raw`'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+`;

/**
 * A definition in the format of tokenizer.json that cleans, splits and joins as the class CLIPTokenizer of
 * transformers does (without ftfy): NFC, white space folded, lower case; words, single digits and runs of other
 * signs; byte-level BPE with an end-of-word mark.
 * @param merges pairs of tokens that are joined, first come first.
 * @param added tokens that are recognised inside a text, with their ids.
 */
export function clipTokenizer(
  vocab: Readonly<Record<string, number>>,
  merges: readonly (readonly string[])[],
  added: readonly (Omit<AddedToken, 'id'> & { readonly id: number })[],
): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFC' },
        { type: 'Replace', pattern: { Regex: String.raw`\p{White_Space}+` }, content: ' ' },
        // Letter by letter, where JavaScript knows the form that a sigma has at the end of a word.
        { type: 'Replace', pattern: { String: 'Σ' }, content: 'σ' },
        { type: 'Lowercase' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        {
          type: 'Split',
          pattern: { Regex: words },
          behavior: 'Removed',
          invert: true,
        },
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      vocab,
      merges,
    },
  };
}
