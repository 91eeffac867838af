import { stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { ModelFolder } from '../../model/folder.js';
import type { Graph } from '../../model/layout/ports.js';
import { unetInput } from '../../model/layout/unet.js';
import { countPlainAttention } from '../../model/onnx/attention.js';
import type { Check, ModelReport, PartReport } from './report.js';

/** Describes a model. */
export function inspectModel(model: ModelFolder): ModelReport {
  const { defaults, fixedSize, selfGuided } = model;
  const kinds = [familyOf(model), ...(selfGuided ? ['latent consistency'] : [])];
  return {
    name: model.name,
    folder: model.root,
    kind: `${kinds.join(', ')}, predicts ${model.predictionType}`,
    size: {
      default: [defaults.width ?? 512, defaults.height ?? 512],
      multiple_of: model.sizeFactor,
      fixed: fixedSize.width !== undefined || fixedSize.height !== undefined,
    },
    latent: {
      channels: model.latentChannels,
      pixels: model.pixelFactor,
      scale: model.scalingFactor,
      shift: model.shiftFactor,
    },
    text: { tokens: model.textLength, width: model.textWidth },
    defaults,
  };
}

function familyOf({ scheduler, layout }: ModelFolder): string {
  if (scheduler['mean_reverting'] !== undefined) return 'mean-reverting restoration';
  const isXl = unetInput(layout.unet, 'text_embeds') !== undefined;
  return isXl ? 'Stable Diffusion XL' : 'Stable Diffusion';
}

/** Describes the ONNX files of a model: their sizes, inputs and outputs. */
export async function inspectParts({ root, layout, int8 }: ModelFolder): Promise<readonly PartReport[]> {
  const graphs: readonly (readonly [string, Graph])[] = [
    ...layout.textEncoders.map(
      ({ graph }, i) => [i === 0 ? 'text encoder' : `text encoder ${i + 1}`, graph] as const,
    ),
    ['VAE encoder', layout.vaeEncoder.graph],
    ['U-Net', layout.unet.graph],
    ['VAE decoder', layout.vaeDecoder.graph],
    ...graphsInInt8(layout, int8),
  ];
  return Promise.all(
    graphs.map(async ([part, graph]) => ({
      part,
      file: relative(root, graph.file),
      bytes: await bytesOf(graph),
      weights: graph.weightType,
      inputs: graph.inputs.map(describePort),
      outputs: graph.outputs.map(describePort),
    })),
  );
}

function graphsInInt8(
  usual: ModelFolder['layout'],
  int8: ModelFolder['int8'],
): readonly (readonly [string, Graph])[] {
  if (int8 === null) return [];
  const parts: readonly (readonly [string, Graph, Graph])[] = [
    ['VAE encoder in 8 bits', int8.vaeEncoder.graph, usual.vaeEncoder.graph],
    ['U-Net in 8 bits', int8.unet.graph, usual.unet.graph],
    ['VAE decoder in 8 bits', int8.vaeDecoder.graph, usual.vaeDecoder.graph],
  ];
  return parts.flatMap(([part, graph, other]) => (graph === other ? [] : [[part, graph] as const]));
}

async function bytesOf({ file, weightFiles }: Graph): Promise<number> {
  const files = [file, ...weightFiles.map((name) => join(dirname(file), name))];
  const sizes = await Promise.all(files.map(async (path) => (await stat(path)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function describePort({ name, type, shape }: Graph['inputs'][number]): string {
  // Names that exporters make up for free dimensions mean nothing.
  const sides = shape.map((side) => (typeof side === 'string' && !/^[a-z_]{1,16}$/.test(side) ? '?' : side));
  return `${name} ${type} [${sides.join(', ')}]`;
}

/**
 * Checks what works without a cost, from the files alone. The engine reports the rest.
 * @param device that the model runs on; null if it runs on none.
 */
export function checkLayout(model: ModelFolder, device: string | null): readonly Check[] {
  const { unet } = model.layout;
  const checks: Check[] = [];
  if (unet.timesteps === 'rows') checks.push(ok('a timestep for each row: frames at all steps share a call'));
  if (unet.rows === null) checks.push(ok('any number of rows: streams share a call'));
  if (unet.height === null && unet.width === null) checks.push(ok(sizes(model)));
  if (model.selfGuided) checks.push(ok('guides itself by guidance_scale; cfg_type is none'));
  checks.push(...checkAttention(model, device));
  if (device === 'cpu' && unetInput(unet, 'sample')?.port.type === 'float16') {
    checks.push({
      level: 'note',
      text: 'computes in half precision, which processors do through single precision; for the CPU export it in float32',
    });
  }
  return checks;
}

/** Devices that do not know fused attention. */
const plainDevices = /^(tensorrt|coreml)/;
/** Bytes of scores from which they are worth a note. */
const manyBytes = 2 ** 24;

/** Notes attention in plain operators, if its scores are large. */
function checkAttention(model: ModelFolder, device: string | null): readonly Check[] {
  const { unet } = model.layout;
  const { width = 512, height = 512 } = model.defaults;
  const scoreBytes = 4 * ((width * height) / model.attentionFactor ** 2) ** 2;
  if (scoreBytes < manyBytes || (device !== null && plainDevices.test(device))) return [];
  const layers = countPlainAttention(unet.graph.file);
  if (layers === 0) return [];
  const text =
    `attention is not fused in ${layers} layers, which store up to ${Math.round(scoreBytes / 1e6)} MB of scores a row ` +
    `and head at ${width}x${height}; run in ops/export: python -m millrace_export optimize FOLDER -o NEW`;
  return [{ level: 'note', text }];
}

function sizes({ sizeFactor, networkFactor }: ModelFolder): string {
  const any = `any size that is a multiple of ${sizeFactor}`;
  return sizeFactor === networkFactor
    ? any
    : `${any}; one that is not a multiple of ${networkFactor} costs as much as the next larger multiple`;
}

function ok(text: string): Check {
  return { level: 'ok', text };
}
