import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { UnetConfig } from '../configs.js';
import { ModelError } from '../model-error.js';
import { exists, readModelJson } from '../model-files.js';
import {
  validateSteered,
  type AttentionBankConfig,
  type ControlConfig,
  type IpAdapterConfig,
  type SteeredConfig,
} from '../steered-config.js';
import { findGraphs } from './find-graph.js';
import { precomputedInputs, takesPrecomputed } from './precomputed.js';
import { readGraphFile } from './graph-file.js';
import {
  checkAxis,
  inputPort,
  namedOutput,
  onlyInput,
  refuseOtherInputs,
  type Graph,
  type NumberPort,
} from './ports.js';
import { unetLayout, type CallSize, type UnetInput, type UnetLayout } from './unet.js';

/** A control network: the part that depends on the picture alone, and what the U-Net takes from it. */
export interface ControlLayout extends Pick<ControlConfig, 'name' | 'type' | 'preprocessor'> {
  readonly graph: Graph;
  /** The picture [batch, 3, height, width], 0 to 1. */
  readonly image: NumberPort;
  /** Each of its outputs, and the U-Net's input that takes it. */
  readonly features: readonly { readonly output: NumberPort; readonly input: UnetInput }[];
  /** Name of the U-Net's input for its scale. */
  readonly scale: string;
}

/** The image encoder of an IP-Adapter, with its projection. */
export interface ImageEncoderLayout extends IpAdapterConfig {
  readonly graph: Graph;
  /** Normalised pixels [batch, 3, image_size, image_size]. */
  readonly pixels: NumberPort;
  /** The tokens of the picture, and those of none [batch, tokens, width]. */
  readonly imageTokens: NumberPort;
  readonly negativeTokens: NumberPort;
  readonly width: number;
}

/** A self-attention layer with a bank, and the output with its keys and values [batch, 2, positions, width]. */
export interface BankLayerLayout {
  readonly name: string;
  readonly divisor: number;
  readonly width: number;
  readonly output: NumberPort;
}

/** The U-Net that can be steered by pictures and by earlier frames, and the networks around it. */
export interface SteeredLayout {
  /** Takes all that the plain U-Net takes. */
  readonly unet: UnetLayout;
  readonly controls: readonly ControlLayout[];
  readonly imageEncoder: ImageEncoderLayout | null;
  /** In the order of the inputs `bank_0`, `bank_1`, ...; null if there is none. */
  readonly bank: readonly BankLayerLayout[] | null;
}

/** The files and facts of the plain model that the steered U-Net must fit. */
export interface PlainUnet {
  readonly layout: UnetLayout;
  readonly config: UnetConfig;
  readonly configPath: string;
}

/** Inputs whose values, even if they are 0, mean that a row needs the steered U-Net. */
export function switchesOf({ controls }: SteeredLayout): readonly string[] {
  return [...controls.map(({ scale }) => scale), 'ip_adapter_scale', 'bank_mask'];
}

/**
 * Reads the steered U-Net of a model folder, with its control networks and image encoder.
 * @returns null if the model has none.
 * @throws {ModelError} if graphs, configuration and the plain U-Net do not fit each other.
 */
export async function readSteered(root: string, plain: PlainUnet): Promise<SteeredLayout | null> {
  const folder = join(root, 'unet_steered');
  if (!(await exists(folder))) return null;
  const path = join(folder, 'config.json');
  const config = await readModelJson(path, validateSteered);
  checkNames(path, config.controls);
  await refuseOtherControls(root, config.controls);
  // With the plain U-Net, which is there, so that a folder without any graph is named.
  const parts = ['unet', 'unet_steered', ...config.controls.map(({ name }) => `controls/${name}`)];
  if (config.ip_adapter) parts.push('image_encoder');
  const [, ...files] = await findGraphs(root, parts);
  const graphs: Graph[] = [];
  for (const file of files) graphs.push(await readGraphFile(file));
  const [graph, ...others] = graphs;
  if (graph === undefined) throw new RangeError('a graph was not read');
  const controls = config.controls.map((control, i) => controlLayout(graph, others[i], { control, i, path }));
  const width = [plain.config.cross_attention_dim].flat()[0] ?? 0;
  const further = [
    ...controls.flatMap(({ features, scale }) => [
      ...features.map(({ input }) => input),
      rowInput(graph, scale, { size: 1, scales: features[0]?.input.port.name }),
    ]),
    ...(config.ip_adapter
      ? tokenInputs(graph, config.ip_adapter, { width, by: plain.configPath, path })
      : []),
    ...(config.attention_bank ? bankInputs(graph, config.attention_bank, path) : []),
  ];
  const precomputed = takesPrecomputed(graph) ? plain.layout.precomputed : null;
  refuseUndescribed(
    graph,
    [...plain.layout.inputs, ...precomputedInputs(precomputed), ...further].map(({ port }) => port.name),
    path,
  );
  return {
    unet: unetLayout(graph, plain.config, plain.configPath, { further, precomputed }),
    controls,
    imageEncoder: config.ip_adapter && imageEncoderLayout(others.at(-1), config.ip_adapter, { width, path }),
    bank: config.attention_bank && bankLayers(graph, config.attention_bank, path),
  };
}

function checkNames(path: string, controls: SteeredConfig['controls']): void {
  const names = controls.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new ModelError(path, `names the control ${twice} twice; give each a name of its own`);
  }
  const net = controls.find(({ type, features }) => type === 'controlnet' && features.length !== 1);
  if (net === undefined) return;
  throw new ModelError(
    path,
    `the ControlNet ${net.name} has ${net.features.length} features, but its hint is the only one; ` +
      'export it again, as a T2I-Adapter if it is one',
  );
}

/** @throws {ModelError} if there is a control that the U-Net was not exported with. */
async function refuseOtherControls(root: string, controls: SteeredConfig['controls']): Promise<void> {
  const names = controls.map(({ name }) => name);
  const found = await readdir(join(root, 'controls'), { withFileTypes: true }).catch(() => []);
  const other = found.find((entry) => entry.isDirectory() && !names.includes(entry.name));
  if (other === undefined) return;
  throw new ModelError(
    join(root, 'controls', other.name),
    `unet_steered was exported with ${names.join(', ') || 'no control'}, not with ${other.name}; ` +
      'export the model again with it, or remove it',
  );
}

/** @param which the control, its number, and the configuration that describes it. */
function controlLayout(
  unet: Graph,
  graph: Graph | undefined,
  { control, i, path }: { readonly control: ControlConfig; readonly i: number; readonly path: string },
): ControlLayout {
  if (graph === undefined) throw new RangeError('the graph of a control was not read');
  const image = onlyInput(graph);
  checkAxis(graph, image, { axis: 1, size: 3, by: path });
  const features = control.features.map(({ channels, divisor }, k) => {
    const output = namedOutput(graph, `feature_${k}`);
    const input: UnetInput = {
      port: floatInput(unet, `control_${i}_feature_${k}`),
      from: 'conditioning',
      shape: ({ rows, height, width }) => [rows, channels, ceil(height, divisor), ceil(width, divisor)],
      optional: 'whole',
    };
    checkAxis(graph, output, { axis: 1, size: channels, by: path });
    checkAxis(unet, input.port, { axis: 1, size: channels, by: path });
    return { output, input };
  });
  if (graph.outputs.length > features.length) {
    throw new ModelError(
      graph.file,
      `has ${graph.outputs.length} outputs, where ${path} describes ${features.length}; export both together`,
    );
  }
  const { name, type, preprocessor } = control;
  return { name, type, preprocessor, graph, image, features, scale: `control_${i}_scale` };
}

interface TokenFit {
  /** Width of a token. */
  readonly width: number;
  /** The configuration of the adapter. */
  readonly path: string;
}

/** @param fit with the configuration that requires the width. */
function tokenInputs(
  graph: Graph,
  { tokens, layers }: IpAdapterConfig,
  { width, by, path }: TokenFit & { readonly by: string },
): readonly UnetInput[] {
  const port = floatInput(graph, 'image_tokens');
  checkAxis(graph, port, { axis: 1, size: tokens, by: path });
  checkAxis(graph, port, { axis: 2, size: width, by });
  const scale = rowInput(graph, 'ip_adapter_scale', { size: layers.length, scales: port.name });
  checkAxis(graph, scale.port, { axis: 1, size: layers.length, by: path });
  return [
    { port, from: 'conditioning', shape: ({ rows }) => [rows, tokens, width], optional: 'whole' },
    scale,
  ];
}

function imageEncoderLayout(
  graph: Graph | undefined,
  config: IpAdapterConfig,
  { width, path }: TokenFit,
): ImageEncoderLayout {
  if (graph === undefined) throw new RangeError('the graph of the image encoder was not read');
  const pixels = inputPort(graph, 'pixel_values');
  refuseOtherInputs(graph, [pixels.name]);
  for (const axis of [2, 3]) checkAxis(graph, pixels, { axis, size: config.image_size, by: path });
  const tokens = (name: string): NumberPort => {
    const port = namedOutput(graph, name);
    checkAxis(graph, port, { axis: 1, size: config.tokens, by: path });
    checkAxis(graph, port, { axis: 2, size: width, by: path });
    return port;
  };
  const [imageTokens, negativeTokens] = [tokens('image_tokens'), tokens('negative_image_tokens')];
  return { ...config, graph, pixels, imageTokens, negativeTokens, width };
}

function bankInputs(graph: Graph, { layers }: AttentionBankConfig, path: string): readonly UnetInput[] {
  const banks = layers.map(({ divisor, width }, k): UnetInput => {
    const port = floatInput(graph, `bank_${k}`);
    checkAxis(graph, port, { axis: 4, size: width, by: path });
    const shape = ({ rows, slots = 1, height, width: side }: CallSize): readonly number[] => {
      return [rows, slots, 2, ceil(height, divisor) * ceil(side, divisor), width];
    };
    return { port, from: 'conditioning', shape, optional: 'part' };
  });
  const port = floatInput(graph, 'bank_mask');
  const shape = ({ rows, slots = 1 }: CallSize): readonly number[] => [rows, slots];
  return [...banks, { port, from: 'conditioning', shape, optional: 'part' }];
}

function bankLayers(graph: Graph, { layers }: AttentionBankConfig, path: string): readonly BankLayerLayout[] {
  return layers.map(({ name, divisor, width }, k) => {
    const output = namedOutput(graph, `bank_${k}_out`);
    checkAxis(graph, output, { axis: 3, size: width, by: path });
    return { name, divisor, width, output };
  });
}

/** Describes an input with a few numbers for each row. @param options how many, and the input that they scale. */
function rowInput(
  graph: Graph,
  name: string,
  { size, scales }: { readonly size: number; readonly scales: string | undefined },
): UnetInput {
  const port = floatInput(graph, name);
  // A scale of one number has no axis of its own.
  const shape = ({ rows }: CallSize): readonly number[] => (port.shape.length === 1 ? [rows] : [rows, size]);
  return { port, from: 'conditioning', shape, optional: 'whole', ...(scales !== undefined && { scales }) };
}

/** @throws {ModelError} if there is no such input, or it takes integers. */
function floatInput(graph: Graph, name: string): NumberPort {
  const port = inputPort(graph, name);
  if (port.type === 'float32' || port.type === 'float16') return port;
  throw new ModelError(
    graph.file,
    `"${name}" is of type ${port.type}, not float32 or float16; export it again`,
  );
}

/** @throws {ModelError} if the graph has an input that neither the plain U-Net nor the configuration has. */
function refuseUndescribed(graph: Graph, known: readonly string[], path: string): void {
  const names = new Set(known);
  const other = graph.inputs.find(({ name }) => !names.has(name));
  if (other === undefined) return;
  throw new ModelError(
    graph.file,
    `the graph has the input "${other.name}", which ${path} does not describe; export both together`,
  );
}

function ceil(side: number, divisor: number): number {
  return Math.ceil(side / divisor);
}
