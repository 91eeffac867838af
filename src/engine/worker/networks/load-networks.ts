import type { ModelFolder } from '../../../model/folder.js';
import type { PrecomputedInput } from '../../../model/layout/precomputed.js';
import type { Graph } from '../../../model/layout/ports.js';
import { switchesOf, type ControlLayout } from '../../../model/layout/steered.js';
import { loadTokenizer } from '../../../model/tokenizer.js';
import { Autoencoder } from './autoencoder.js';
import { ControlNetworks, type Control } from './control-networks.js';
import { ImageEncoder } from './image-encoder.js';
import { vaeConversions } from './vae-conversions.js';
import type { OnnxPart } from './onnx-part.js';
import type { PartUse } from './place-part.js';
import { PrecomputedValues } from './precomputed-values.js';
import { Preprocessor } from './preprocessor.js';
import { Preprocessors } from './preprocessors.js';
import { blankPicture, latentShape, usualSize, volume } from './sizes.js';
import { TextEncoders, type TextEncoder } from './text-encoders.js';
import { blankRow, Unet, type UnetGraph } from './unet.js';

/** Most chunks of tokens of a prompt: longer prompts would slow every stream in a U-Net call. */
const maxChunks = 4;
/** The timestep of trial rows. */
const trialTimestep = 500;

/** The networks of a model that is steered by more than prompts. */
interface SteeredNetworks {
  readonly unet: Unet;
  readonly controls: ControlNetworks;
  readonly imageEncoder: ImageEncoder | null;
  /** Rows with values for one of these inputs need the steered U-Net. */
  readonly switches: readonly string[];
}

export interface Networks {
  readonly texts: TextEncoders;
  readonly autoencoder: Autoencoder;
  readonly unet: Unet;
  readonly steered: SteeredNetworks | null;
  readonly preprocessors: Preprocessors;
}

/** Loads a graph, and returns what its use makes of it. @param what names the network, as in "text encoder". */
type Load = <Made>(what: string, graph: Graph, use: PartUse<Made>) => Promise<Made>;

/** Loads the tokenizers and the networks of a model. */
export async function loadNetworks(folder: ModelFolder, load: Load): Promise<Networks> {
  const encoders = await loadTextEncoders(folder, load);
  const { encoder, decoder } = vaeUses(folder);
  const vaeEncoder = await load('VAE encoder', folder.layout.vaeEncoder.graph, encoder);
  const precomputed = await loadPrecomputed(folder, load);
  const unet = await loadUnet('U-Net', folder, { unet: folder.layout.unet, precomputed }, load);
  const vaeDecoder = await load('VAE decoder', folder.layout.vaeDecoder.graph, decoder);
  const steered = await loadSteered(folder, load, precomputed);
  const takesChunks = unet.takesChunks && (steered?.unet.takesChunks ?? true);
  return {
    texts: new TextEncoders(encoders, folder.textLength, takesChunks ? maxChunks : 1),
    autoencoder: new Autoencoder(folder, vaeEncoder, vaeDecoder),
    unet,
    steered,
    preprocessors: await Preprocessors.load(folder.preprocessors, async (layout) =>
      load(`preprocessor ${layout.name}`, layout.graph, {
        make: (part, threads) => Preprocessor.create(layout, part, threads),
        discard: (made) => made[Symbol.asyncDispose](),
      }),
    ),
  };
}

async function loadTextEncoders(
  { layout, tokenizers, root, textLength }: ModelFolder,
  load: Load,
): Promise<readonly TextEncoder[]> {
  const encoders: TextEncoder[] = [];
  for (const [i, text] of layout.textEncoders.entries()) {
    const { folder = root, tokenCount = null } = tokenizers[i] ?? {};
    const tokenizer = await loadTokenizer(folder, textLength, tokenCount);
    const encoder = await load('text encoder', text.graph, {
      make: (part) => ({ part, layout: text, tokenizer }),
      trial: (made) => new TextEncoders([made], textLength, 1).embed(''),
    });
    encoders.push(encoder);
  }
  return encoders;
}

/** Returns how both halves of the VAE are used; their trials are with a picture of the usual size. */
function vaeUses(folder: ModelFolder): Readonly<Record<'encoder' | 'decoder', PartUse<OnnxPart>>> {
  const conversions = vaeConversions(folder);
  const picture = blankPicture(folder);
  const latent = new Float32Array(volume(latentShape(folder, picture)));
  return {
    encoder: {
      conversions: conversions.encoder,
      make: (part) => part,
      trial: (part) => new Autoencoder(folder, part, part).encode([picture]),
    },
    decoder: {
      conversions: conversions.decoder,
      make: (part) => part,
      trial: (part) => new Autoencoder(folder, part, part).decode([latent], [picture]),
    },
  };
}

/** Loads the small graphs that make inputs of the U-Net. */
async function loadPrecomputed(folder: ModelFolder, load: Load): Promise<readonly PrecomputedValues[]> {
  const { unet } = folder.layout;
  if (unet.precomputed === null) return [];
  const shape = latentShape(folder, usualSize(folder));
  const [, height, width] = shape;
  const call = { rows: 1, timesteps: 1, tokens: folder.textLength, height, width };
  const loadInput = async (what: string, input: PrecomputedInput): Promise<PrecomputedValues> =>
    load(what, input.graph, {
      make: (part) => new PrecomputedValues(folder, unet, input, part),
      trial: (values) => values.feed([blankRow(folder, shape, trialTimestep)], call),
    });
  const { keys, time } = unet.precomputed;
  return [await loadInput('keys of prompts', keys), await loadInput('features of timesteps', time)];
}

/** Loads a U-Net, which has to run on the device: on the CPU, each frame of all streams would wait for it. */
async function loadUnet(what: string, folder: ModelFolder, graph: UnetGraph, load: Load): Promise<Unet> {
  const shape = latentShape(folder, usualSize(folder));
  return load(what, graph.unet.graph, {
    make: (part) => Unet.create(folder, part, graph),
    trial: (unet) => unet.predict([blankRow(folder, shape, trialTimestep, { unet: graph.unet })], shape),
    isTooLarge: true,
  });
}

/** Loads the steered U-Net and what belongs to it; null if the model has none. */
async function loadSteered(
  folder: ModelFolder,
  load: Load,
  precomputed: readonly PrecomputedValues[],
): Promise<SteeredNetworks | null> {
  const { steered: layout } = folder.layout;
  if (layout === null) return null;
  const unet = await loadUnet(
    'steered U-Net',
    folder,
    { ...layout, precomputed: layout.unet.precomputed ? precomputed : [] },
    load,
  );
  const controls: Control[] = [];
  for (const control of layout.controls) {
    controls.push(await loadControl(folder, control, load));
  }
  const { imageEncoder: encoder } = layout;
  return {
    unet,
    controls: new ControlNetworks(folder, controls),
    imageEncoder:
      encoder &&
      (await load('image encoder', encoder.graph, {
        make: (part, threads) => ImageEncoder.create(encoder, part, threads),
        trial: (made) => made.encode(new Uint8Array(3 * made.side ** 2)),
        discard: (made) => made[Symbol.asyncDispose](),
      })),
    switches: switchesOf(layout),
  };
}

async function loadControl(folder: ModelFolder, layout: ControlLayout, load: Load): Promise<Control> {
  const { name, graph, image } = layout;
  const picture = blankPicture(folder);
  return load(`control ${name}`, graph, {
    conversions: new Map([[image.name, { black: 0, white: 1 }]]),
    make: (part) => ({ layout, part }),
    trial: (control) => new ControlNetworks(folder, [control]).features(name, picture.data, picture),
  });
}
