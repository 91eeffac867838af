import type { Conditioning, Row } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import { fixedSize } from '../../../model/layout/ports.js';
import { guidanceEmbedding } from './guidance-embedding.js';
import { numbersFor, Scratch, type Feed, type OnnxPart } from './onnx-part.js';
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
  readonly #samples = new Scratch();
  readonly #embeddings = new Scratch();
  readonly #pooled = new Scratch();
  readonly #timeIds = new Scratch();
  readonly #guidance = new Scratch();
  readonly #predictions = new Scratch();

  private constructor(folder: ModelFolder, part: Part, mixesTimesteps: boolean, takesChunks = false) {
    this.#folder = folder;
    this.#part = part;
    this.mixesTimesteps = mixesTimesteps;
    this.takesChunks = takesChunks;
  }

  /** Tests what the graph does not state: whether it takes a timestep for each row, and any number of tokens. */
  static async create(folder: ModelFolder, part: Part): Promise<Unet> {
    const { timesteps, text, rows, height, width } = folder.layout.unet;
    const side = folder.networkFactor / folder.pixelFactor;
    const shape = [folder.latentChannels, height ?? side, width ?? side] as const;
    const accepts = (mixes: boolean, chunks: number): Promise<boolean> => {
      const trial = Array.from({ length: rows ?? 2 }, (_, i) =>
        blankRow(folder, shape, 800 - 100 * i, chunks),
      );
      return part.accepts(new Unet(folder, part, mixes).#feeds(trial, shape));
    };
    const mixes = timesteps === 'perhaps' ? await accepts(true, 1) : timesteps === 'rows';
    const takesChunks = fixedSize(text, 1) === null && (await accepts(mixes, 2));
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

  /** Groups the indices of rows into calls: one, unless the export has a fixed row count or a single timestep. */
  #calls(rows: readonly Row[]): readonly (readonly number[])[] {
    const groups = new Map<number, number[]>();
    rows.forEach(({ stage }, index) => {
      const key = this.mixesTimesteps ? 0 : stage.timestep;
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

  #feeds(rows: readonly Row[], shape: Shape): Feed[] {
    const { layout, textWidth } = this.#folder;
    const { sample, text, guidance, added } = layout.unet;
    const rowsOf = (
      scratch: Scratch,
      length: number,
      valuesOf: (row: Row) => ArrayLike<number>,
    ): Float32Array => {
      const data = scratch.take(rows.length * length);
      rows.forEach((row, i) => data.set(valuesOf(row), i * length));
      return data;
    };
    // All rows of a call have the same token count.
    const values = rows[0]?.conditioning.embedding.length ?? 0;
    const feeds: Feed[] = [
      {
        port: sample,
        data: rowsOf(this.#samples, volume(shape), (row) => row.input),
        shape: [rows.length, ...shape],
      },
      this.#timesteps(rows),
      {
        port: text,
        data: rowsOf(this.#embeddings, values, (row) => row.conditioning.embedding),
        shape: [rows.length, values / textWidth, textWidth],
      },
    ];
    if (guidance) {
      const { port, width } = guidance;
      const data = rowsOf(this.#guidance, width, ({ conditioning }) =>
        guidanceEmbedding(conditioning.guidanceScale ?? 1, width),
      );
      feeds.push({ port, data, shape: [rows.length, width] });
    }
    if (added) {
      const { pooled, pooledWidth, timeIds } = added;
      const blank = new Float32Array(pooledWidth);
      const data = rowsOf(this.#pooled, pooledWidth, ({ conditioning }) => conditioning.pooled ?? blank);
      feeds.push({ port: pooled, data, shape: [rows.length, pooledWidth] });
      const ids = this.#sizes(shape);
      const sizes = rowsOf(this.#timeIds, ids.length, () => ids);
      feeds.push({ port: timeIds, data: numbersFor(timeIds, sizes), shape: [rows.length, ids.length] });
    }
    return feeds;
  }

  #timesteps(rows: readonly Row[]): Feed {
    const { timestep: port } = this.#folder.layout.unet;
    const given = this.mixesTimesteps ? rows : rows.slice(0, 1);
    const data = numbersFor(
      port,
      given.map(({ stage }) => stage.timestep),
    );
    return { port, data, shape: port.shape.length === 0 ? [] : [given.length] };
  }

  /** Returns SDXL's time_ids: original size, crop and target size. The picture is whole, so the sizes are equal. */
  #sizes([, rows, columns]: Shape): readonly number[] {
    const { pixelFactor } = this.#folder;
    const [height, width] = [rows * pixelFactor, columns * pixelFactor];
    return [height, width, 0, 0, height, width];
  }
}

/** Returns a row of zeros, to measure and test calls with. */
export function blankRow(folder: ModelFolder, shape: Shape, timestep: number, chunks = 1): Row {
  return {
    role: 'positive',
    stage: { timestep, a: 1, b: 1, inputScale: 1 },
    input: new Float32Array(volume(shape)),
    conditioning: blankConditioning(folder, chunks),
  };
}

/** Returns a conditioning of zeros: no prompt at all. */
export function blankConditioning({ textLength, textWidth, layout }: ModelFolder, chunks = 1): Conditioning {
  const embedding = new Float32Array(chunks * textLength * textWidth);
  const { added } = layout.unet;
  return { embedding, ...(added && { pooled: new Float32Array(added.pooledWidth) }) };
}

/** Repeats the last row to fill a call. */
function pad(rows: readonly Row[], count: number): readonly Row[] {
  const last = rows.at(-1);
  return last ? Array.from({ length: count }, (_, i) => rows[i] ?? last) : rows;
}
