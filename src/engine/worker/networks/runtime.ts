import type { Conditioning, Row } from '../../../diffusion/stream.js';
import type { ModelFolder } from '../../../model/folder.js';
import type { Image } from '../../../image/image.js';
import type { Graph } from '../../../model/layout/ports.js';
import { switchesOf } from '../../../model/layout/steered.js';
import { loadTokenizer } from '../../../model/tokenizer.js';
import type { Device } from '../../device.js';
import { Autoencoder } from './autoencoder.js';
import { ControlNetworks, type Control } from './control-networks.js';
import { NotFiniteError, requireFinite } from './finite.js';
import { ImageEncoder } from './image-encoder.js';
import { Scratch, type OnnxPart } from './onnx-part.js';
import { bytesToPlanes, planesToBytes } from './pixels.js';
import { placePart, type PartUse } from './place-part.js';
import { Preprocessor } from './preprocessor.js';
import { checkPreprocessors, Preprocessors, type PictureJob } from './preprocessors.js';
import { filledSize, latentShape, usualSize, volume, type Shape, type Size } from './sizes.js';
import { TextEncoders, type TextEncoder } from './text-encoders.js';
import { blankRow, Unet, type KeptRows, type UnetGraph } from './unet.js';

/** Most chunks of tokens of a prompt: longer prompts would slow every stream in a U-Net call. */
const maxChunks = 4;

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

/** The networks of a model that is steered by more than prompts. */
interface SteeredNetworks {
  readonly unet: Unet;
  readonly controls: ControlNetworks;
  readonly imageEncoder: ImageEncoder | null;
  /** Rows with values for one of these inputs need the steered U-Net. */
  readonly switches: readonly string[];
}

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
  readonly #image = new Scratch();
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
    const {
      device = { provider: 'cpu', index: 0 },
      threads,
      cacheDirectory = null,
      onNote = () => {},
    } = options;
    const placing = { device, threads, cacheDirectory, onNote };
    checkPreprocessors(folder);
    const parts: OnnxPart[] = [];
    const load: Load = async (what, { file }, use) => {
      onProgress(`loading the ${what}`);
      const { part, made } = await placePart(what, file, placing, use);
      parts.push(part);
      return made;
    };
    const { layout, tokenizers, textLength } = folder;
    const encoders: TextEncoder[] = [];
    for (const [i, text] of layout.textEncoders.entries()) {
      const { folder: path = folder.root, tokenCount = null } = tokenizers[i] ?? {};
      const tokenizer = await loadTokenizer(path, textLength, tokenCount);
      const encoder = await load('text encoder', text.graph, {
        make: (part) => ({ part, layout: text, tokenizer }),
        trial: (made) => new TextEncoders([made], textLength, 1).embed(''),
      });
      encoders.push(encoder);
    }
    const usual = filledSize(folder, usualSize(folder));
    const planes = [3, usual.height, usual.width] as const;
    const latent = latentShape(folder, usual);
    const vaeEncoder = await load('VAE encoder', layout.vaeEncoder.graph, {
      make: (part) => part,
      trial: (part) =>
        new Autoencoder(folder, part, part).encode(new Float32Array(volume(planes)), planes, latent),
    });
    const unet = await loadUnet(folder, 'U-Net', layout, load);
    const vaeDecoder = await load('VAE decoder', layout.vaeDecoder.graph, {
      make: (part) => part,
      trial: (part) =>
        new Autoencoder(folder, part, part).decode(new Float32Array(volume(latent)), latent, planes),
    });
    const steered = await loadSteered(folder, load);
    const takesChunks = unet.takesChunks && (steered?.unet.takesChunks ?? true);
    const networks = {
      texts: new TextEncoders(encoders, textLength, takesChunks ? maxChunks : 1),
      autoencoder: new Autoencoder(folder, vaeEncoder, vaeDecoder),
      unet,
      steered,
      preprocessors: await Preprocessors.load(folder.preprocessors, async (preprocessor) =>
        load(`preprocessor ${preprocessor.name}`, preprocessor.graph, {
          make: (part) => Preprocessor.create(preprocessor, part),
        }),
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

  /**
   * Encodes RGB bytes to a latent, scaled as for the training of the U-Net.
   * @throws {NotFiniteError} if any value is NaN or infinite.
   */
  async encode(pixels: Uint8Array, size: Size): Promise<Float32Array> {
    const filled = filledSize(this.folder, size);
    const planes = this.#image.take(3 * filled.width * filled.height);
    bytesToPlanes(pixels, size, filled, planes);
    const latent = await this.encodePlanes(planes, filled);
    requireFinite('vae_encoder', latent);
    return latent;
  }

  /** Does the same for planes [3, height, width] of -1 to 1, in a size that the networks take. */
  async encodePlanes(planes: Float32Array, size: Size): Promise<Float32Array> {
    return this.#autoencoder.encode(planes, [3, size.height, size.width], this.latentShape(size));
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

  /** The control networks; null if the model has no steered U-Net. */
  get controls(): ControlNetworks | null {
    return this.#steered?.controls ?? null;
  }

  /** The image encoder; null if the model has none. */
  get imageEncoder(): ImageEncoder | null {
    return this.#steered?.imageEncoder ?? null;
  }

  /** Decodes a scaled latent to planes [3, height, width] of about -1 to 1, in a size that the networks take. */
  async decodePlanes(latent: Float32Array, size: Size): Promise<Float32Array> {
    return this.#autoencoder.decode(latent, this.latentShape(size), [3, size.height, size.width]);
  }

  /**
   * Decodes a scaled latent to RGB bytes.
   * @throws {NotFiniteError} if any pixel is NaN or infinite.
   */
  async decode(latent: Float32Array, size: Size, out: Uint8ClampedArray): Promise<void> {
    const filled = filledSize(this.folder, size);
    const finite = planesToBytes(await this.decodePlanes(latent, filled), filled, size, out);
    if (!finite) throw new NotFiniteError('vae_decoder');
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

/** Loads a network of the model. */
type Load = <Made>(what: string, graph: Graph, use: PartUse<Made>) => Promise<Made>;

/** Loads a U-Net, which has to run on the device: on the CPU, each frame of all streams would wait for it. */
async function loadUnet(folder: ModelFolder, what: string, graph: UnetGraph, load: Load): Promise<Unet> {
  const shape = latentShape(folder, usualSize(folder));
  return load(what, graph.unet.graph, {
    make: (part) => Unet.create(folder, part, graph),
    trial: (unet) => unet.predict([blankRow(folder, shape, 500, { unet: graph.unet })], shape),
    isTooLarge: true,
  });
}

/** Loads the steered U-Net and what belongs to it; null if the model has none. */
async function loadSteered(folder: ModelFolder, load: Load): Promise<SteeredNetworks | null> {
  const { steered: layout } = folder.layout;
  if (layout === null) return null;
  const unet = await loadUnet(folder, 'steered U-Net', layout, load);
  const size = usualSize(folder);
  const controls: Control[] = [];
  for (const control of layout.controls) {
    const loaded = await load(`control ${control.name}`, control.graph, {
      make: (part) => ({ layout: control, part }),
      trial: (made) => {
        const black = new Uint8Array(3 * size.width * size.height);
        return new ControlNetworks(folder, [made]).features(control.name, black, size);
      },
    });
    controls.push(loaded);
  }
  const { imageEncoder: encoder } = layout;
  return {
    unet,
    controls: new ControlNetworks(folder, controls),
    imageEncoder:
      encoder &&
      (await load('image encoder', encoder.graph, {
        make: (part) => new ImageEncoder(encoder, part),
        trial: (made) => made.encode(new Uint8Array(3 * made.side ** 2)),
      })),
    switches: switchesOf(layout),
  };
}
