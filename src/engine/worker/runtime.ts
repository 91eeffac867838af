import type { Row } from '../../diffusion/stream.js';
import type { ModelFolder } from '../../model/folder.js';
import { ModelError } from '../../model/model-error.js';
import { loadTokenizer, type Tokenizer } from '../../model/tokenizer.js';
import { OnnxPart, Scratch, volume, type Port } from './onnx-part.js';
import { bytesToPlanes, planesToBytes } from './pixels.js';

export interface RuntimeOptions {
  /** Threads of one inference call. */
  readonly threads: number;
}

/** Size of an image in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * The networks of one model. Calls block this thread while they run, one at a time; what they return is valid
 * until the next call of the same method.
 */
export class ModelRuntime implements AsyncDisposable {
  readonly folder: ModelFolder;
  readonly #tokenizer: Tokenizer;
  readonly #textEncoder: OnnxPart;
  readonly #vaeEncoder: OnnxPart;
  readonly #unet: OnnxPart;
  readonly #vaeDecoder: OnnxPart;
  readonly #timestepType: 'int64' | 'float32';
  readonly #image = new Scratch();
  readonly #latent = new Scratch();
  readonly #samples = new Scratch();
  readonly #embeddings = new Scratch();
  #closed = false;

  private constructor(
    folder: ModelFolder,
    tokenizer: Tokenizer,
    parts: Readonly<Record<'textEncoder' | 'vaeEncoder' | 'unet' | 'vaeDecoder', OnnxPart>>,
  ) {
    this.folder = folder;
    this.#tokenizer = tokenizer;
    this.#textEncoder = parts.textEncoder;
    this.#vaeEncoder = parts.vaeEncoder;
    this.#unet = parts.unet;
    this.#vaeDecoder = parts.vaeDecoder;
    this.#timestepType = timestepType(folder.files.unet, this.#unet.input('timestep'));
  }

  /**
   * Loads the tokenizer and the four networks.
   * @param onProgress is told which part is being loaded.
   * @throws {ModelError} naming the file that cannot be used.
   */
  static async load(
    folder: ModelFolder,
    options: RuntimeOptions,
    onProgress: (what: string) => void = () => {},
  ): Promise<ModelRuntime> {
    const sessionOptions = {
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: 'all',
      // Threads that spin while they wait take the cores that the server itself needs between the calls.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    } as const;
    const load = (what: string, file: string, output: string): Promise<OnnxPart> => {
      onProgress(`loading the ${what}`);
      return OnnxPart.load(file, sessionOptions, output);
    };
    const { files } = folder;
    const textEncoder = await load('text encoder', files.textEncoder, 'last_hidden_state');
    const vaeEncoder = await load('VAE encoder', files.vaeEncoder, 'latent_sample');
    const unet = await load('U-Net', files.unet, 'out_sample');
    const vaeDecoder = await load('VAE decoder', files.vaeDecoder, 'sample');
    const tokenizer = await loadTokenizer(files.tokenizer, folder.textLength);
    return new ModelRuntime(folder, tokenizer, { textEncoder, vaeEncoder, unet, vaeDecoder });
  }

  /** [channels, height, width] of the latent of an image of this size. */
  latentShape({ width, height }: Size): readonly [number, number, number] {
    const { latentChannels, pixelFactor } = this.folder;
    return [latentChannels, height / pixelFactor, width / pixelFactor];
  }

  /** Embedding [textLength, textWidth] of a prompt; memory of its own. */
  async embed(prompt: string): Promise<Float32Array> {
    const { textLength, textWidth } = this.folder;
    const ids = this.#tokenizer.encode(prompt);
    const { name, type } = this.#textEncoder.input('input_ids');
    const data = type === 'int32' ? Int32Array.from(ids, Number) : ids;
    const feeds = { [name]: { data, shape: [1, textLength] } };
    return (await this.#textEncoder.run(feeds, [1, textLength, textWidth])).slice();
  }

  /** Scaled latent of RGB bytes, as the U-Net was trained on. */
  async encode(pixels: Uint8Array, size: Size): Promise<Float32Array> {
    const planes = this.#image.take(3 * size.width * size.height);
    bytesToPlanes(pixels, size.width * size.height, planes);
    return this.encodePlanes(planes, size);
  }

  /** The same for values from -1 to 1 in planes [3, height, width]. */
  async encodePlanes(planes: Float32Array, size: Size): Promise<Float32Array> {
    const { scalingFactor, shiftFactor } = this.folder;
    const feeds = { sample: { data: planes, shape: [1, 3, size.height, size.width] } };
    const latent = await this.#vaeEncoder.run(feeds, [1, ...this.latentShape(size)]);
    for (let i = 0; i < latent.length; i++) latent[i] = ((latent[i] ?? 0) - shiftFactor) * scalingFactor;
    return latent;
  }

  /** Raw U-Net outputs of rows of one shape, in one call. */
  async predict(rows: readonly Row[], shape: readonly [number, number, number]): Promise<Float32Array[]> {
    const { textLength, textWidth } = this.folder;
    const length = volume(shape);
    const text = textLength * textWidth;
    const samples = this.#samples.take(rows.length * length);
    const embeddings = this.#embeddings.take(rows.length * text);
    rows.forEach((row, i) => {
      samples.set(row.input, i * length);
      embeddings.set(row.conditioning.embedding, i * text);
    });
    const feeds = {
      sample: { data: samples, shape: [rows.length, ...shape] },
      timestep: { data: this.#timesteps(rows), shape: [rows.length] },
      encoder_hidden_states: { data: embeddings, shape: [rows.length, textLength, textWidth] },
    };
    const output = await this.#unet.run(feeds, [rows.length, ...shape]);
    return rows.map((_, i) => output.subarray(i * length, (i + 1) * length));
  }

  /** Values about -1 to 1 in planes [3, height, width] of a scaled latent. */
  async decodePlanes(latent: Float32Array, size: Size): Promise<Float32Array> {
    const { scalingFactor, shiftFactor } = this.folder;
    const unscaled = this.#latent.take(latent.length);
    for (let i = 0; i < latent.length; i++) unscaled[i] = (latent[i] ?? 0) / scalingFactor + shiftFactor;
    const feeds = { latent_sample: { data: unscaled, shape: [1, ...this.latentShape(size)] } };
    return this.#vaeDecoder.run(feeds, [1, 3, size.height, size.width]);
  }

  /** Writes the image of a scaled latent as RGB bytes. */
  async decode(latent: Float32Array, size: Size, out: Uint8ClampedArray): Promise<void> {
    planesToBytes(await this.decodePlanes(latent, size), size.width * size.height, out);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const part of [this.#textEncoder, this.#vaeEncoder, this.#unet, this.#vaeDecoder])
      await part.release();
  }

  #timesteps(rows: readonly Row[]): Float32Array | BigInt64Array {
    if (this.#timestepType === 'float32') return Float32Array.from(rows, (row) => row.stage.timestep);
    return BigInt64Array.from(rows, (row) => BigInt(Math.round(row.stage.timestep)));
  }
}

function timestepType(file: string, { type, shape }: Port): 'int64' | 'float32' {
  if ((type === 'int64' || type === 'float32') && shape.length === 1 && typeof shape[0] === 'string')
    return type;
  const found = `${type} [${shape.join(', ')}]`;
  throw new ModelError(file, `timestep is ${found}; it must be int64 or float32 [batch], one for each row`);
}
