import type { Conditioning } from '../../diffusion/stream.js';
import type { TextEncoderLayout } from '../../model/layout/text.js';
import type { Tokenizer } from '../../model/tokenizer.js';
import { numbersFor, type OnnxPart } from './onnx-part.js';

export interface TextEncoder {
  readonly part: OnnxPart;
  readonly layout: TextEncoderLayout;
  readonly tokenizer: Tokenizer;
}

/** The text encoders of one model: one, or the two of SDXL whose values for a token stand side by side. */
export class TextEncoders {
  readonly #encoders: readonly TextEncoder[];
  readonly #length: number;
  readonly #width: number;

  /** @param length tokens of an embedding. */
  constructor(encoders: readonly TextEncoder[], length: number) {
    this.#encoders = encoders;
    this.#length = length;
    this.#width = encoders.reduce((sum, { layout }) => sum + layout.width, 0);
  }

  /** What a prompt is to the U-Net; memory of its own. */
  async embed(prompt: string): Promise<Conditioning> {
    const embedding = new Float32Array(this.#length * this.#width);
    let pooled: Float32Array | undefined;
    let column = 0;
    for (const { part, layout, tokenizer } of this.#encoders) {
      const ids = numbersFor(layout.ids, Array.from(tokenizer.encode(prompt), Number));
      const wanted = [{ port: layout.embedding, shape: [1, this.#length, layout.width] }];
      if (layout.pooled) wanted.push({ port: layout.pooled.port, shape: [1, layout.pooled.width] });
      const feed = { port: layout.ids, data: ids, shape: [1, this.#length] };
      const [states, whole] = await part.runFor([feed], wanted);
      if (states) this.#place(states, layout.width, embedding, column);
      if (whole) pooled = whole.slice();
      column += layout.width;
    }
    return { embedding, ...(pooled && { pooled }) };
  }

  #place(states: Float32Array, width: number, embedding: Float32Array, column: number): void {
    for (let token = 0; token < this.#length; token++) {
      const values = states.subarray(token * width, (token + 1) * width);
      embedding.set(values, token * this.#width + column);
    }
  }
}
