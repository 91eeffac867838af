import type { Conditioning, Row } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { Image } from '../../../image/image.js';
import type { Device } from '../../device.js';
import type { Picture } from './autoencoder.js';
import type { ControlNetworks } from './control-networks.js';
import { allFinite, NotFiniteError, requireFinite } from './finite.js';
import type { ImageEncoder } from './image-encoder.js';
import { loadNetworks, type Networks } from './load-networks.js';
import { placePart } from './place-part.js';
import { checkPreprocessors, type PictureJob } from './preprocessors.js';
import { Resources } from './resources.js';
import { latentShape, type Shape, type Size } from './sizes.js';
import type { KeptRows } from './unet.js';

export interface RuntimeOptions {
  /** Threads per inference call. */
  readonly threads: number;
  /** Default: the CPU. */
  readonly device?: Device;
  /** Folder for TensorRT engines; null (the default) keeps none. */
  readonly cacheDirectory?: string | null;
  /** Receives which networks do not run on the device, and why. */
  readonly onNote?: (text: string) => void;
}

/**
 * The networks of one model. Calls block this thread, one at a time; results are valid until the next call of the
 * same method.
 */
export class ModelRuntime implements AsyncDisposable {
  readonly folder: ModelFolder;
  readonly #networks: Networks;
  readonly #resources: AsyncDisposable;

  private constructor(folder: ModelFolder, networks: Networks, resources: AsyncDisposable) {
    this.folder = folder;
    this.#networks = networks;
    this.#resources = resources;
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
    const {
      device = { provider: 'cpu', index: 0 },
      threads,
      cacheDirectory = null,
      onNote = () => {},
    } = options;
    const placing = { device, threads, cacheDirectory, onNote };
    checkPreprocessors(folder);
    await using loaded = new Resources();
    const networks = await loadNetworks(folder, async (what, { file }, use) => {
      onProgress(`loading the ${what}`);
      const { made, resources } = await placePart(what, file, placing, use);
      loaded.use(resources);
      return made;
    });
    return new ModelRuntime(folder, networks, loaded.move());
  }

  /** Whether one U-Net call can take rows at several timesteps. */
  get mixesTimesteps(): boolean {
    return this.#networks.unet.mixesTimesteps && (this.#networks.steered?.unet.mixesTimesteps ?? true);
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
    const conditioning = await this.#networks.texts.embed(prompt);
    for (const values of Object.values(conditioning)) requireFinite('text_encoder', values);
    return conditioning;
  }

  /** Returns how many tokens a prompt has, without start and end, and how many of them the model reads. */
  countTokens(prompt: string): { readonly all: number; readonly read: number } {
    return this.#networks.texts.countTokens(prompt);
  }

  /**
   * Encodes pictures whose latents have one shape in one call.
   * @returns latents, scaled as for the training of the U-Net; null for one with a NaN or infinite value.
   */
  async encode(pictures: readonly Picture[]): Promise<readonly (Float32Array | null)[]> {
    const latents = await this.#networks.autoencoder.encode(pictures);
    return latents.map((latent) => (allFinite(latent) ? latent : null));
  }

  /**
   * Encodes one picture.
   * @throws {NotFiniteError} if any value is NaN or infinite.
   */
  async encodeOne(pixels: Uint8Array, size: Size): Promise<Float32Array> {
    const [latent] = await this.encode([{ ...size, data: pixels }]);
    if (!latent) throw new NotFiniteError('vae_encoder');
    return latent;
  }

  /**
   * Returns the raw U-Net outputs for rows of one shape; the caller checks that they are finite. Rows that use neither
   * a control, a style image nor a bank take the plain U-Net, if no row of the call does.
   * @param kept receives what rows with an attention bank computed for it.
   */
  async predict(rows: readonly Row[], shape: Shape, kept?: KeptRows): Promise<Float32Array[]> {
    const steered = this.#networks.steered;
    const isSteered = ({ conditioning }: Row): boolean =>
      steered?.switches.some((input) => conditioning[input] !== undefined) ?? false;
    if (steered && rows.some(isSteered)) return steered.unet.predict(rows, shape, kept);
    return this.#networks.unet.predict(rows, shape);
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
    return this.#networks.steered?.controls ?? null;
  }

  /** The image encoder; null if the model has none. */
  get imageEncoder(): ImageEncoder | null {
    return this.#networks.steered?.imageEncoder ?? null;
  }

  /**
   * Decodes scaled latents of one shape in one call, each into one of these pictures.
   * @returns for each whether all its values were finite.
   */
  async decode(latents: readonly Float32Array[], pictures: readonly Picture[]): Promise<readonly boolean[]> {
    return this.#networks.autoencoder.decode(latents, pictures);
  }

  /**
   * Decodes one scaled latent.
   * @throws {NotFiniteError} if any pixel is NaN or infinite.
   */
  async decodeOne(latent: Float32Array, size: Size, out: Uint8ClampedArray): Promise<void> {
    const data = new Uint8Array(out.buffer, out.byteOffset, out.length);
    const [isFinite] = await this.decode([latent], [{ ...size, data }]);
    if (!isFinite) throw new NotFiniteError('vae_decoder');
  }

  /**
   * Makes control pictures with the preprocessors of the model, those of several streams in one call: in new memory, of
   * the sizes of the pictures. Null stands where a network computed NaN or infinite values.
   * @throws {RangeError} if the model lacks a preprocessor.
   */
  async preparePictures(jobs: readonly PictureJob[]): Promise<readonly (Image | null)[]> {
    return this.#networks.preprocessors.preparePictures(jobs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources[Symbol.asyncDispose]();
  }
}
