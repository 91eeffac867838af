/** The part of the library that is used: its own declarations have paths that Node's rules cannot resolve. */
declare module '@huggingface/tokenizers' {
  export class Tokenizer {
    /** @param definition the content of tokenizer.json. @param config that of tokenizer_config.json. */
    constructor(definition: object, config: object);
    encode(
      text: string,
      options: { readonly add_special_tokens: boolean },
    ): { readonly ids: readonly (number | undefined)[] };
  }
}
