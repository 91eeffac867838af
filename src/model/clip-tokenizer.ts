import type { AddedToken } from './special-tokens.js';

/** White space is matched by its Unicode property, since JavaScript's own class has other characters. */
const words = String.raw`'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+`;

/**
 * Returns a definition in the format of tokenizer.json that cleans, splits and joins as the class CLIPTokenizer of
 * transformers does (without ftfy): NFC, white space folded, lower case; words, single digits and runs of other
 * signs; byte-level BPE with an end-of-word mark.
 * @param merges pairs of tokens that are joined, by priority.
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
        // CLIPTokenizer lowers letters one by one; JavaScript would write a sigma at the end of a word as ς.
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
