import type { Row } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import { precomputedInputs } from '../../../model/layout/precomputed.js';
import type { BankLayerLayout } from '../../../model/layout/steered.js';
import type { Graph } from '../../../model/layout/ports.js';
import type { CallSize, UnetInput, UnetLayout } from '../../../model/layout/unet.js';
import { inParts } from '../../in-parts.js';
import { Scratch, type Feed, type OnnxPart, type Wanted } from './onnx-part.js';
import type { PrecomputedValues } from './precomputed-values.js';
import { RowInputs } from './row-inputs.js';
import { volume, type Shape } from './sizes.js';

type Part = Pick<OnnxPart, 'accepts' | 'run' | 'runFor'>;

/**
 * For each row of a call the keys and values that it computed, by layer of the attention bank; none for rows without a
 * bank.
 */
export type KeptRows = (readonly Float32Array[])[];

/** An exported U-Net and its bank, if it has one. */
export interface UnetGraph {
  readonly unet: UnetLayout;
  readonly bank?: readonly BankLayerLayout[] | null;
  /** The inputs that small graphs make; none if the U-Net takes all itself. */
  readonly precomputed?: readonly PrecomputedValues[];
}

/** The input that rows with a bank have values for: as many as slots are filled. */
const bankMask = 'bank_mask';

/** The U-Net: predicts rows of one size in as few calls as its export allows. */
export class Unet {
  readonly #folder: ModelFolder;
  readonly #layout: UnetLayout;
  readonly #bank: readonly BankLayerLayout[];
  readonly #part: Part;
  /** Whether a call takes a timestep for each row. */
  readonly mixesTimesteps: boolean;
  /** Whether a call takes embeddings of several chunks of tokens. */
  readonly takesChunks: boolean;
  readonly #inputs: RowInputs;
  readonly #precomputed: readonly PrecomputedValues[];
  readonly #predictions = new Scratch();

  private constructor(
    folder: ModelFolder,
    part: Part,
    { unet, bank, precomputed = [] }: UnetGraph,
    { mixesTimesteps = false, takesChunks = false },
  ) {
    this.#folder = folder;
    this.#layout = unet;
    this.#bank = bank ?? [];
    this.#part = part;
    this.mixesTimesteps = mixesTimesteps;
    this.takesChunks = takesChunks;
    const isOwn = ({ port: { name } }: UnetInput): boolean =>
      takes(unet.graph, name) || !precomputedInputs(unet.precomputed).some(({ graph }) => takes(graph, name));
    this.#inputs = new RowInputs(folder, unet, unet.inputs.filter(isOwn));
    this.#precomputed = precomputed;
  }

  /**
   * Tests what the graph does not state: whether it takes a timestep for each row, and any number of tokens.
   * @param graph the plain U-Net of the model if absent.
   */
  static async create(folder: ModelFolder, part: Part, graph: UnetGraph = folder.layout): Promise<Unet> {
    const { timesteps, tokens, rows, height, width } = graph.unet;
    const side = folder.networkFactor / folder.pixelFactor;
    const shape = [folder.latentChannels, height ?? side, width ?? side] as const;
    const accepts = async (mixesTimesteps: boolean, chunks: number): Promise<boolean> => {
      const trial = Array.from({ length: rows ?? 2 }, (_, i) =>
        blankRow(folder, shape, 800 - 100 * i, { chunks, unet: graph.unet }),
      );
      return part.accepts(await new Unet(folder, part, graph, { mixesTimesteps }).#feeds(trial, shape));
    };
    const mixesTimesteps = timesteps === 'perhaps' ? await accepts(true, 1) : timesteps === 'rows';
    const takesChunks = tokens === null && (await accepts(mixesTimesteps, 2));
    return new Unet(folder, part, graph, { mixesTimesteps, takesChunks });
  }

  /**
   * Returns the raw prediction for each row; valid until the next call.
   * @param kept receives what rows with a bank computed for it, which is valid as long.
   */
  async predict(rows: readonly Row[], shape: Shape, kept?: KeptRows): Promise<Float32Array[]> {
    const calls = this.#calls(rows);
    if (calls.length === 1) return this.#call(rows, shape, kept);
    const length = volume(shape);
    const all = this.#predictions.take(rows.length * length);
    for (const call of calls) {
      const own: KeptRows = [];
      const predictions = await this.#call(
        call.flatMap((index) => rows[index] ?? []),
        shape,
        kept && own,
      );
      call.forEach((index, i) => {
        if (predictions[i]) all.set(predictions[i], index * length);
        // The next call uses the same memory.
        if (kept) kept[index] = (own[i] ?? []).map((values) => values.slice());
      });
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
    const most = this.#layout.rows ?? rows.length;
    return [...groups.values()].flatMap((group) => inParts(group, most));
  }

  async #call(rows: readonly Row[], shape: Shape, kept?: KeptRows): Promise<Float32Array[]> {
    const { rows: fixed, output: port } = this.#layout;
    const padded = fixed === null ? rows : pad(rows, fixed);
    const feeds = await this.#feeds(padded, shape);
    const predicted = { port, shape: [padded.length, ...shape] };
    const bank = kept && rows.some(hasBank) ? this.#keptBy(padded.length, shape) : [];
    const [values = new Float32Array(0), ...layers] =
      bank.length === 0
        ? [await this.#part.run(feeds, port, predicted.shape)]
        : await this.#part.runFor(feeds, [predicted, ...bank]);
    rows.forEach((row, i) => {
      if (kept) kept[i] = hasBank(row) ? layers.map((layer) => partOf(layer, i, padded.length)) : [];
    });
    return rows.map((_, i) => partOf(values, i, padded.length));
  }

  /** Returns the outputs with the keys and values of each layer of the bank, and their shapes. */
  #keptBy(rows: number, [, height, width]: Shape): Wanted[] {
    return this.#bank.map(({ output, divisor, width: channels }) => {
      const positions = Math.ceil(height / divisor) * Math.ceil(width / divisor);
      return { port: output, shape: [rows, 2, positions, channels] };
    });
  }

  /** Returns what each input of the graph takes from the rows, one row after another. */
  async #feeds(rows: readonly Row[], [, height, width]: Shape): Promise<Feed[]> {
    // All rows of a call have the same token count.
    const tokens = (rows[0]?.conditioning.encoder_hidden_states.length ?? 0) / this.#folder.textWidth;
    const timesteps = this.mixesTimesteps ? rows.length : 1;
    const slots = Math.max(...rows.map(({ conditioning }) => conditioning[bankMask]?.length ?? 0));
    const call: CallSize = { rows: rows.length, timesteps, tokens, height, width, slots };
    const precomputed: Feed[] = [];
    for (const input of this.#precomputed) precomputed.push(await input.feed(rows, call));
    return [...this.#inputs.feeds(rows, call), ...precomputed];
  }
}

/**
 * Returns a row of zeros for all inputs, to measure and test calls with.
 * @param options chunks of tokens, 1 if absent; the U-Net, the plain one if absent.
 */
export function blankRow(
  folder: ModelFolder,
  shape: Shape,
  timestep: number,
  { chunks = 1, unet = folder.layout.unet }: { readonly chunks?: number; readonly unet?: UnetLayout } = {},
): Row {
  const [, height, width] = shape;
  const tokens = chunks * folder.textLength;
  const call: CallSize = { rows: 1, timesteps: 1, tokens, height, width };
  const conditioning = unet.inputs
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

function takes({ inputs }: Graph, input: string): boolean {
  return inputs.some(({ name }) => name === input);
}

function hasBank({ conditioning }: Row): boolean {
  return conditioning[bankMask] !== undefined;
}

/** Returns the values of one row of several. */
function partOf(values: Float32Array, row: number, rows: number): Float32Array {
  const length = values.length / rows;
  return values.subarray(row * length, (row + 1) * length);
}

/** Repeats the last row to fill a call. */
function pad(rows: readonly Row[], count: number): readonly Row[] {
  const last = rows.at(-1);
  return last ? Array.from({ length: count }, (_, i) => rows[i] ?? last) : rows;
}
