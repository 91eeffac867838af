import type { Row } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { CallSize, UnetInput } from '../../../model/layout/unet.js';
import { guidanceConditioning } from './guidance-embedding.js';
import { InputScratch, Scratch, writeNumbers, type Feed, type OnnxPart } from './onnx-part.js';
import { volume, type Shape } from './sizes.js';

type Part = Pick<OnnxPart, 'accepts' | 'run'>;

/** The U-Net: predicts rows of one size in as few calls as its export allows. */
export class Unet {
  readonly #folder: ModelFolder;
  readonly #part: Part;
  /** Whether a call takes a timestep for each row. */
  readonly mixesTimesteps: boolean;
  /** Whether a call takes embeddings of several chunks of tokens. */
  readonly takesChunks: boolean;
  readonly #inputs: readonly { readonly input: UnetInput; readonly scratch: InputScratch }[];
  /** For rows without a guidance scale: that of scale 1. */
  readonly #unguided: ReturnType<typeof guidanceConditioning>;
  /** The timestep of the row that is being written. */
  readonly #timestep = [0];
  readonly #predictions = new Scratch();

  private constructor(folder: ModelFolder, part: Part, mixesTimesteps: boolean, takesChunks = false) {
    this.#folder = folder;
    this.#part = part;
    this.mixesTimesteps = mixesTimesteps;
    this.takesChunks = takesChunks;
    const { unet } = folder.layout;
    this.#inputs = unet.inputs.map((input) => ({ input, scratch: new InputScratch(input.port) }));
    this.#unguided = guidanceConditioning(unet, 1);
  }

  /** Tests what the graph does not state: whether it takes a timestep for each row, and any number of tokens. */
  static async create(folder: ModelFolder, part: Part): Promise<Unet> {
    const { timesteps, tokens, rows, height, width } = folder.layout.unet;
    const side = folder.networkFactor / folder.pixelFactor;
    const shape = [folder.latentChannels, height ?? side, width ?? side] as const;
    const accepts = (mixes: boolean, chunks: number): Promise<boolean> => {
      const trial = Array.from({ length: rows ?? 2 }, (_, i) =>
        blankRow(folder, shape, 800 - 100 * i, chunks),
      );
      return part.accepts(new Unet(folder, part, mixes).#feeds(trial, shape));
    };
    const mixes = timesteps === 'perhaps' ? await accepts(true, 1) : timesteps === 'rows';
    const takesChunks = tokens === null && (await accepts(mixes, 2));
    return new Unet(folder, part, mixes, takesChunks);
  }

  /** Returns the raw prediction for each row; valid until the next call. */
  async predict(rows: readonly Row[], shape: Shape): Promise<Float32Array[]> {
    const calls = this.#calls(rows);
    if (calls.length === 1) return this.#call(rows, shape);
    const length = volume(shape);
    const all = this.#predictions.take(rows.length * length);
    for (const call of calls) {
      const predictions = await this.#call(
        call.flatMap((index) => rows[index] ?? []),
        shape,
      );
      call.forEach((index, i) => predictions[i] && all.set(predictions[i], index * length));
    }
    return rows.map((_, i) => all.subarray(i * length, (i + 1) * length));
  }

  /**
   * Groups the indices of rows into calls: one, unless the export has a fixed row count or a single timestep. Rows whose
   * prompts differ in length need different calls too: a transition from a long prompt ends with the frame that enters,
   * while frames under way still have the long one.
   */
  #calls(rows: readonly Row[]): readonly (readonly number[])[] {
    const groups = new Map<string, number[]>();
    rows.forEach(({ stage, conditioning }, index) => {
      const timestep = this.mixesTimesteps ? '' : stage.timestep;
      const key = `${timestep} ${conditioning.encoder_hidden_states.length}`;
      const group = groups.get(key);
      if (group) group.push(index);
      else groups.set(key, [index]);
    });
    const most = this.#folder.layout.unet.rows ?? rows.length;
    return [...groups.values()].flatMap((group) =>
      Array.from({ length: Math.ceil(group.length / most) }, (_, i) => group.slice(i * most, (i + 1) * most)),
    );
  }

  async #call(rows: readonly Row[], shape: Shape): Promise<Float32Array[]> {
    const { rows: fixed, output } = this.#folder.layout.unet;
    const padded = fixed === null ? rows : pad(rows, fixed);
    const values = await this.#part.run(this.#feeds(padded, shape), output, [padded.length, ...shape]);
    const length = volume(shape);
    return rows.map((_, i) => values.subarray(i * length, (i + 1) * length));
  }

  /** Returns what each input takes from the rows, one row after another. */
  #feeds(rows: readonly Row[], [, height, width]: Shape): Feed[] {
    // All rows of a call have the same token count.
    const tokens = (rows[0]?.conditioning.encoder_hidden_states.length ?? 0) / this.#folder.textWidth;
    const timed = this.mixesTimesteps ? rows : rows.slice(0, 1);
    const call: CallSize = { rows: rows.length, timesteps: timed.length, tokens, height, width };
    return this.#inputs.map(({ input, scratch }) => {
      const given = input.from === 'timestep' ? timed : rows;
      const shape = input.shape(call);
      const data = scratch.take(volume(shape));
      const length = data.length / given.length;
      const valuesOf = this.#source(input, call);
      given.forEach((row, i) => {
        const values = valuesOf(row);
        if (values.length !== length) {
          throw new RangeError(`${input.port.name}: a row has ${values.length} values, not ${length}`);
        }
        writeNumbers(data, values, i * length);
      });
      return { port: input.port, data, shape };
    });
  }

  /** Returns how to get the values of an input from a row. */
  #source({ port, from }: UnetInput, call: CallSize): (row: Row) => ArrayLike<number> {
    switch (from) {
      case 'sample':
        return ({ input }) => input;
      case 'timestep':
        return ({ stage }) => {
          this.#timestep[0] = stage.timestep;
          return this.#timestep;
        };
      case 'conditioning':
        return ({ conditioning }) => {
          const values = conditioning[port.name] ?? this.#unguided?.[port.name];
          if (!values) throw new RangeError(`${port.name}: a row has no values for this input`);
          return values;
        };
      case 'size': {
        const { pixelFactor } = this.#folder;
        const [height, width] = [call.height * pixelFactor, call.width * pixelFactor];
        // The picture is whole: original and target size are equal, and nothing is cropped.
        const size = [height, width, 0, 0, height, width];
        return () => size;
      }
    }
  }
}

/** Returns a row of zeros, to measure and test calls with. */
export function blankRow(folder: ModelFolder, shape: Shape, timestep: number, chunks = 1): Row {
  const [, height, width] = shape;
  const tokens = chunks * folder.textLength;
  const call: CallSize = { rows: 1, timesteps: 1, tokens, height, width };
  const conditioning = folder.layout.unet.inputs
    .filter(({ from }) => from === 'conditioning')
    .map((input) => [input.port.name, new Float32Array(volume(input.shape(call)))] as const);
  return {
    role: 'positive',
    stage: { timestep, a: 1, b: 1, inputScale: 1 },
    input: new Float32Array(volume(shape)),
    conditioning: {
      encoder_hidden_states: new Float32Array(tokens * folder.textWidth),
      ...Object.fromEntries(conditioning),
    },
  };
}

/** Repeats the last row to fill a call. */
function pad(rows: readonly Row[], count: number): readonly Row[] {
  const last = rows.at(-1);
  return last ? Array.from({ length: count }, (_, i) => rows[i] ?? last) : rows;
}
