import { emphasise } from '../../../diffusion/emphasis.js';
import type { Conditioning } from '../../../diffusion/stream.js';
import type { TextEncoderLayout } from '../../../model/layout/text.js';
import { parsePrompt } from '../../../model/prompt.js';
import type { TokenChunk, Tokenizer } from '../../../model/tokenizer.js';
import { numbersFor, type OnnxPart } from './onnx-part.js';

export interface TextEncoder {
  readonly part: Pick<OnnxPart, 'runFor'>;
  readonly layout: TextEncoderLayout;
  readonly tokenizer: Tokenizer;
}

/** The text encoders of one model: one, or the two of SDXL, whose token states are concatenated. */
export class TextEncoders {
  readonly #encoders: readonly TextEncoder[];
  readonly #length: number;
  readonly #width: number;
  readonly #maxChunks: number;

  /** @param length tokens of a chunk. @param maxChunks of a prompt; longer prompts are truncated. */
  constructor(encoders: readonly TextEncoder[], length: number, maxChunks: number) {
    this.#encoders = encoders;
    this.#length = length;
    this.#width = encoders.reduce((sum, { layout }) => sum + layout.width, 0);
    this.#maxChunks = maxChunks;
  }

  /**
   * Returns the conditioning for a prompt, in new memory. A long prompt is encoded in chunks of as many tokens as the
   * encoder takes, whose embeddings are concatenated; the pooled embedding is that of the first chunk.
   */
  async embed(prompt: string): Promise<Conditioning> {
    const segments = parsePrompt(prompt);
    const texts = this.#encoders.map(({ tokenizer }) => tokenizer.encodeChunks(segments, this.#maxChunks));
    const count = Math.max(...texts.map((chunks) => chunks.length));
    const embedding = new Float32Array(count * this.#length * this.#width);
    let pooled: Float32Array | undefined;
    let column = 0;
    for (const [i, encoder] of this.#encoders.entries()) {
      for (let chunk = 0; chunk < count; chunk++) {
        const text = texts[i]?.[chunk] ?? { ids: encoder.tokenizer.encode(''), weights: null };
        const [states, whole] = await this.#encode(encoder, text);
        if (states) this.#place(states, encoder.layout.width, embedding, chunk, column);
        if (whole && chunk === 0) pooled = whole.slice();
      }
      column += encoder.layout.width;
    }
    return { encoder_hidden_states: embedding, ...(pooled && { text_embeds: pooled }) };
  }

  /** Returns how many tokens a prompt has, without start and end, and how many of them the encoder reads. */
  countTokens(prompt: string): { readonly all: number; readonly read: number } {
    const all = this.#encoders[0]?.tokenizer.count(parsePrompt(prompt)) ?? 0;
    return { all, read: Math.min(all, this.#maxChunks * (this.#length - 2)) };
  }

  /** Returns the weighted states of all tokens, and the pooled embedding if this encoder has one. */
  async #encode({ part, layout }: TextEncoder, text: TokenChunk): Promise<readonly Float32Array[]> {
    const ids = numbersFor(layout.ids, Array.from(text.ids, Number));
    const wanted = [{ port: layout.embedding, shape: [1, this.#length, layout.width] }];
    if (layout.pooled) wanted.push({ port: layout.pooled.port, shape: [1, layout.pooled.width] });
    const feed = { port: layout.ids, data: ids, shape: [1, this.#length] };
    const results = await part.runFor([feed], wanted);
    const [states] = results;
    if (states && text.weights) emphasise(states, text.weights);
    return results;
  }

  #place(states: Float32Array, width: number, embedding: Float32Array, chunk: number, column: number): void {
    const first = chunk * this.#length;
    for (let token = 0; token < this.#length; token++) {
      const values = states.subarray(token * width, (token + 1) * width);
      embedding.set(values, (first + token) * this.#width + column);
    }
  }
}
