import type { Row } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { PrecomputedInput } from '../../../model/layout/precomputed.js';
import type { CallSize, UnetLayout } from '../../../model/layout/unet.js';
import { InputScratch, writeNumbers, type Feed, type OnnxPart } from './onnx-part.js';
import { RowInputs } from './row-inputs.js';
import { volume } from './sizes.js';

/** Most bytes of values that are kept for each input. */
const keptBytes = 256 * 2 ** 20;
/** Inputs of at most so many numbers are compared by their values, others by their memory. */
const fewNumbers = 8;

/**
 * An input of a U-Net that a small graph makes from others: keys and values of the prompt, or what the timestep gives
 * to the residual blocks. Computed when one of those others changes, and shared by all rows and streams with the same:
 * once a prompt and schedule, and once a frame in a transition, whose prompts are not used again.
 */
export class PrecomputedValues {
  readonly #layout: PrecomputedInput;
  readonly #part: Pick<OnnxPart, 'run'>;
  readonly #inputs: RowInputs;
  readonly #scratch: InputScratch;
  /** Names of arrays, whose values never change. */
  readonly #names = new WeakMap<object, string>();
  #named = 0;
  /** Least recently used first: a Map keeps insertion order. */
  readonly #kept = new Map<string, Float32Array>();
  #bytes = 0;

  constructor(folder: ModelFolder, unet: UnetLayout, layout: PrecomputedInput, part: Pick<OnnxPart, 'run'>) {
    const { inputs } = layout.graph;
    this.#layout = layout;
    this.#part = part;
    this.#inputs = new RowInputs(
      folder,
      unet,
      unet.inputs.filter(({ port }) => inputs.some(({ name }) => name === port.name)),
    );
    this.#scratch = new InputScratch(layout.port);
  }

  /** Returns the values for all rows, one row after another. */
  async feed(rows: readonly Row[], call: CallSize): Promise<Feed> {
    const { port } = this.#layout;
    const shape = this.#shape(call);
    const data = this.#scratch.take(volume(shape));
    const length = data.length / rows.length;
    for (const [i, row] of rows.entries()) writeNumbers(data, await this.#valuesOf(row, call), i * length);
    return { port, data, shape };
  }

  async #valuesOf(row: Row, call: CallSize): Promise<Float32Array> {
    const name = this.#inputs
      .valuesOf(row, call)
      .map((values) => this.#nameOf(values))
      .join(' ');
    const values = this.#kept.get(name) ?? (await this.#compute(row, { ...call, rows: 1, timesteps: 1 }));
    if (!this.#kept.delete(name)) this.#bytes += values.byteLength;
    this.#kept.set(name, values);
    for (const [oldest, { byteLength }] of this.#kept) {
      if (this.#bytes <= keptBytes || oldest === name) break;
      this.#kept.delete(oldest);
      this.#bytes -= byteLength;
    }
    return values;
  }

  async #compute(row: Row, call: CallSize): Promise<Float32Array> {
    const values = await this.#part.run(
      this.#inputs.feeds([row], call),
      this.#layout.output,
      this.#shape(call),
    );
    // The next run uses the same memory.
    return values.slice();
  }

  #shape({ rows, tokens }: CallSize): readonly number[] {
    const { port, width } = this.#layout;
    return port.shape.length === 3 ? [rows, tokens, width] : [rows, width];
  }

  #nameOf(values: ArrayLike<number>): string {
    if (values.length <= fewNumbers) return Array.from(values).join(',');
    let name = this.#names.get(values);
    if (name === undefined) this.#names.set(values, (name = `#${this.#named++}`));
    return name;
  }
}
