import type { Conditioning, Row } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { Image } from '../../../image/image.js';
import type { Graph } from '../../../model/layout/ports.js';
import type { Levels } from '../../../model/onnx/borders.js';
import { switchesOf } from '../../../model/layout/steered.js';
import { loadTokenizer } from '../../../model/tokenizer.js';
import type { Device } from '../../device.js';
import { Autoencoder } from './autoencoder.js';
import { ControlNetworks } from './control-networks.js';
import { allFinite, NotFiniteError, requireFinite } from './finite.js';
import { ImageEncoder } from './image-encoder.js';
import { OnnxPart } from './onnx-part.js';
import { checkPreprocessors, Preprocessors, type PictureJob } from './preprocessors.js';
import { sessionOptions } from '../devices/session-options.js';
import { PrecomputedValues } from './precomputed-values.js';
import { latentShape, type Shape, type Size } from './sizes.js';
import { TextEncoders, type TextEncoder } from './text-encoders.js';
import { Unet, type KeptRows } from './unet.js';

/** Most chunks of tokens of a prompt: longer prompts would slow every stream in a U-Net call. */
const maxChunks = 4;

export interface RuntimeOptions {
  /** Threads per inference call. */
  readonly threads: number;
  /** Default: the CPU. */
  readonly device?: Device;
  /** Folder for TensorRT engines; null (the default) keeps none. */
  readonly cacheDirectory?: string | null;
}

/** The networks of a model that is steered by more than prompts. */
interface SteeredNetworks {
  readonly unet: Unet;
  readonly controls: ControlNetworks;
  readonly imageEncoder: ImageEncoder | null;
  /** Rows with values for one of these inputs need the steered U-Net. */
  readonly switches: readonly string[];
}

/** Loads a graph. @param pictures the levels of its ports that take or give pictures as planes. */
type Load = (what: string, graph: Graph, pictures?: ReadonlyMap<string, Levels>) => Promise<OnnxPart>;

interface Networks {
  readonly texts: TextEncoders;
  readonly autoencoder: Autoencoder;
  readonly unet: Unet;
  readonly steered: SteeredNetworks | null;
  readonly preprocessors: Preprocessors;
}

/**
 * The networks of one model. Calls block this thread, one at a time; results are valid until the next call of the
 * same method.
 */
export class ModelRuntime implements AsyncDisposable {
  readonly folder: ModelFolder;
  readonly #texts: TextEncoders;
  readonly #autoencoder: Autoencoder;
  readonly #unet: Unet;
  readonly #steered: SteeredNetworks | null;
  readonly #preprocessors: Preprocessors;
  readonly #parts: readonly OnnxPart[];
  #closed = false;

  private constructor(folder: ModelFolder, networks: Networks, parts: readonly OnnxPart[]) {
    this.folder = folder;
    this.#texts = networks.texts;
    this.#autoencoder = networks.autoencoder;
    this.#unet = networks.unet;
    this.#steered = networks.steered;
    this.#preprocessors = networks.preprocessors;
    this.#parts = parts;
  }

  /**
   * Loads the tokenizers and the networks.
   * @param onProgress receives which part is being loaded.
   * @throws {ModelError} if a file cannot be used.
   */
  static async load(
    folder: ModelFolder,
    options: RuntimeOptions,
    onProgress: (what: string) => void = () => {},
  ): Promise<ModelRuntime> {
    const { device = { provider: 'cpu', index: 0 }, threads, cacheDirectory = null } = options;
    checkPreprocessors(folder);
    const parts: OnnxPart[] = [];
    const load: Load = async (what, { file }, pictures) => {
      onProgress(`loading the ${what}`);
      const part = await OnnxPart.load(file, sessionOptions(device, { threads, cacheDirectory }), pictures);
      parts.push(part);
      return part;
    };
    const { layout, tokenizers, textLength } = folder;
    const encoders: TextEncoder[] = [];
    for (const [i, text] of layout.textEncoders.entries()) {
      const part = await load('text encoder', text.graph);
      const { folder: path = folder.root, tokenCount = null } = tokenizers[i] ?? {};
      const tokenizer = await loadTokenizer(path, textLength, tokenCount);
      encoders.push({ part, layout: text, tokenizer });
    }
    const { vaeEncoder: encoder, vaeDecoder: decoder } = layout;
    const inPlanes = (
      { pictures }: { readonly pictures: string },
      port: string,
    ): ReadonlyMap<string, Levels> => new Map(pictures === 'planes' ? [[port, { black: -1, white: 1 }]] : []);
    const vaeEncoder = await load('VAE encoder', encoder.graph, inPlanes(encoder, encoder.input.name));
    const unet = await load('U-Net', layout.unet.graph);
    const vaeDecoder = await load('VAE decoder', decoder.graph, inPlanes(decoder, decoder.output.name));
    const precomputed = await loadPrecomputed(folder, load);
    const plain = await Unet.create(folder, unet, { unet: layout.unet, precomputed });
    const steered = await loadSteered(folder, load, precomputed);
    const takesChunks = plain.takesChunks && (steered?.unet.takesChunks ?? true);
    const networks = {
      texts: new TextEncoders(encoders, textLength, takesChunks ? maxChunks : 1),
      autoencoder: new Autoencoder(folder, vaeEncoder, vaeDecoder),
      unet: plain,
      steered,
      preprocessors: await Preprocessors.load(folder.preprocessors, async ({ name, graph }) =>
        load(`preprocessor ${name}`, graph),
      ),
    };
    return new ModelRuntime(folder, networks, parts);
  }

  /** Whether one U-Net call can take rows at several timesteps. */
  get mixesTimesteps(): boolean {
    return this.#unet.mixesTimesteps && (this.#steered?.unet.mixesTimesteps ?? true);
  }

  /** Returns the latent shape of an image of this size: [channels, height, width]. */
  latentShape(size: Size): Shape {
    return latentShape(this.folder, size);
  }

  /**
   * Returns the conditioning for a prompt: its embedding [chunks * textLength, textWidth], and `text_embeds` [width] if
   * the model takes it.
   * @throws {NotFiniteError} if any value is NaN or infinite.
   */
  async embed(prompt: string): Promise<Conditioning> {
    const conditioning = await this.#texts.embed(prompt);
    for (const values of Object.values(conditioning)) requireFinite('text_encoder', values);
    return conditioning;
  }

  /** Returns how many tokens a prompt has, without start and end, and how many of them the model reads. */
  countTokens(prompt: string): { readonly all: number; readonly read: number } {
    return this.#texts.countTokens(prompt);
  }

  /**
   * Encodes pictures of one size, RGB bytes, in one call.
   * @returns latents, scaled as for the training of the U-Net; null for one with a NaN or infinite value.
   */
  async encode(pictures: readonly Uint8Array[], size: Size): Promise<readonly (Float32Array | null)[]> {
    const latents = await this.#autoencoder.encode(pictures.map((data) => ({ ...size, data })));
    return latents.map((latent) => (allFinite(latent) ? latent : null));
  }

  /**
   * Encodes one picture.
   * @throws {NotFiniteError} if any value is NaN or infinite.
   */
  async encodeOne(pixels: Uint8Array, size: Size): Promise<Float32Array> {
    const [latent] = await this.encode([pixels], size);
    if (!latent) throw new NotFiniteError('vae_encoder');
    return latent;
  }

  /**
   * Returns the raw U-Net outputs for rows of one shape; the caller checks that they are finite. Rows that use neither
   * a control, a style image nor a bank take the plain U-Net, if no row of the call does.
   * @param kept receives what rows with an attention bank computed for it.
   */
  async predict(rows: readonly Row[], shape: Shape, kept?: KeptRows): Promise<Float32Array[]> {
    const steered = this.#steered;
    const isSteered = ({ conditioning }: Row): boolean =>
      steered?.switches.some((input) => conditioning[input] !== undefined) ?? false;
    if (steered && rows.some(isSteered)) return steered.unet.predict(rows, shape, kept);
    return this.#unet.predict(rows, shape);
  }

  /**
   * Returns the raw U-Net output for one row: rows whose prompts differ in length cannot share a call.
   * @throws {NotFiniteError} if any value is NaN or infinite.
   */
  async predictOne(row: Row, shape: Shape): Promise<Float32Array> {
    const [output] = await this.predict([row], shape);
    if (output === undefined) throw new RangeError('the U-Net predicted no row');
    requireFinite('unet', output);
    return output;
  }

  /** The control networks; null if the model has no steered U-Net. */
  get controls(): ControlNetworks | null {
    return this.#steered?.controls ?? null;
  }

  /** The image encoder; null if the model has none. */
  get imageEncoder(): ImageEncoder | null {
    return this.#steered?.imageEncoder ?? null;
  }

  /**
   * Decodes scaled latents in one call, each into the RGB bytes of a picture of this size.
   * @returns for each whether all its values were finite.
   */
  async decode(
    latents: readonly Float32Array[],
    size: Size,
    outs: readonly Uint8Array[],
  ): Promise<readonly boolean[]> {
    return this.#autoencoder.decode(
      latents,
      outs.map((data) => ({ ...size, data })),
    );
  }

  /**
   * Decodes one scaled latent.
   * @throws {NotFiniteError} if any pixel is NaN or infinite.
   */
  async decodeOne(latent: Float32Array, size: Size, out: Uint8ClampedArray): Promise<void> {
    const data = new Uint8Array(out.buffer, out.byteOffset, out.length);
    const [isFinite] = await this.decode([latent], size, [data]);
    if (!isFinite) throw new NotFiniteError('vae_decoder');
  }

  /**
   * Makes control pictures with the preprocessors of the model, those of several streams in one call: in new memory, of
   * the sizes of the pictures. Null stands where a network computed NaN or infinite values.
   * @throws {RangeError} if the model lacks a preprocessor.
   */
  async preparePictures(jobs: readonly PictureJob[]): Promise<readonly (Image | null)[]> {
    return this.#preprocessors.preparePictures(jobs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const part of this.#parts) await part[Symbol.asyncDispose]();
  }
}

/** Loads the small graphs that make inputs of the U-Net. */
async function loadPrecomputed(folder: ModelFolder, load: Load): Promise<readonly PrecomputedValues[]> {
  const { unet } = folder.layout;
  if (unet.precomputed === null) return [];
  const { keys, time } = unet.precomputed;
  return [
    new PrecomputedValues(folder, unet, keys, await load('keys of prompts', keys.graph)),
    new PrecomputedValues(folder, unet, time, await load('features of timesteps', time.graph)),
  ];
}

/** Loads the steered U-Net and what belongs to it; null if the model has none. */
async function loadSteered(
  folder: ModelFolder,
  load: Load,
  precomputed: readonly PrecomputedValues[],
): Promise<SteeredNetworks | null> {
  const { steered: layout } = folder.layout;
  if (layout === null) return null;
  const part = await load('steered U-Net', layout.unet.graph);
  const controls = [];
  for (const control of layout.controls) {
    const pictures = new Map([[control.image.name, { black: 0, white: 1 }]]);
    controls.push({ layout: control, part: await load(`control ${control.name}`, control.graph, pictures) });
  }
  const { imageEncoder: encoder } = layout;
  return {
    unet: await Unet.create(folder, part, {
      ...layout,
      precomputed: layout.unet.precomputed ? precomputed : [],
    }),
    controls: new ControlNetworks(folder, controls),
    imageEncoder: encoder && new ImageEncoder(encoder, await load('image encoder', encoder.graph)),
    switches: switchesOf(layout),
  };
}
