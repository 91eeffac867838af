import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError } from './model-error.js';

const supported = 'Stable Diffusion 1.x, 2.x, Turbo, LCM and XL can be run';

/** Parts of pipelines that cannot be run here, and the kind of model that has them. */
const otherParts: readonly (readonly [part: string, what: string])[] = [
  ['transformer', 'a diffusion transformer (Stable Diffusion 3, FLUX, PixArt and the like)'],
  ['prior', 'a pipeline of several stages (Kandinsky, Stable Cascade and the like)'],
  ['prior_prior', 'a pipeline of several stages (Kandinsky, Stable Cascade and the like)'],
  ['movq', 'a Kandinsky model'],
  ['motion_adapter', 'a video model (AnimateDiff)'],
  ['low_res_scheduler', 'an upscaler'],
  ['vocoder', 'a model for sound'],
];

/** Pipelines with a U-Net that takes more than text, by their names. */
const otherPipelines: readonly (readonly [name: RegExp, what: string])[] = [
  [/^IF/, 'a model that works on pixels (DeepFloyd IF)'],
  [/Upscale/, 'an upscaler'],
  [/Depth2Img/, 'a model that takes a depth map'],
  [/Video|AnimateDiff|TextToVideo/, 'a video model'],
  [/StableUnCLIP|ImageVariation/, 'a model for variations of pictures'],
  [
    /StableDiffusion3|Flux|PixArt|Sana|HunyuanDiT|AuraFlow|Lumina|QwenImage|ZImage|Chroma/,
    'a diffusion transformer',
  ],
];

export interface ModelIndex extends Readonly<Record<string, unknown>> {
  readonly _class_name: string;
}

/**
 * Checks that a model is of a kind that can be run, before any of its parts is read.
 * @throws {ModelError} if it is not; the message names its kind.
 */
export async function checkKind(root: string, index: ModelIndex): Promise<void> {
  const { _class_name: pipeline } = index;
  const has = async (part: string): Promise<boolean> => isNamed(index, part) || isFolder(join(root, part));
  const refuse = (what: string): never => {
    const path = join(root, 'model_index.json');
    throw new ModelError(path, `${pipeline} is ${what}, which cannot be run here; ${supported}`);
  };
  for (const [part, what] of otherParts) if (await has(part)) refuse(what);
  const other = otherPipelines.find(([name]) => name.test(pipeline));
  if (other) refuse(other[1]);
  if (!(await has('unet'))) refuse('a pipeline without a U-Net');
}

/** Returns the kind of model that has these parts, if it cannot be run here; else null. */
export function otherKind(parts: ReadonlySet<string>): string | null {
  return otherParts.find(([part]) => parts.has(part))?.[1] ?? null;
}

/** Returns whether model_index.json names a part: null and [null, null] mean that the model does not have it. */
function isNamed(index: ModelIndex, part: string): boolean {
  const entry = index[part];
  return Array.isArray(entry) && entry.some((name) => typeof name === 'string');
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Weights of other frameworks, by the names of their files. */
const formats: readonly (readonly [name: RegExp, format: string])[] = [
  [/\.(?:safetensors|bin|pt|pth|ckpt)$/, 'PyTorch weights'],
  [/\.msgpack$/, 'Flax weights'],
  [/^openvino.*\.(?:xml|bin)$/, 'OpenVINO models'],
  [/\.gguf$/, 'GGUF weights'],
  [/\.mlpackage$|\.mlmodelc$/, 'Core ML models'],
  [/\.(?:engine|plan)$/, 'TensorRT engines'],
];

/** Describes the weights that a folder has instead of an ONNX graph; null if none are known. */
export async function otherWeights(folder: string): Promise<string | null> {
  const names = await readdir(folder).catch(() => []);
  // OpenVINO's own files end like those of PyTorch.
  const found = [...formats].reverse().find(([pattern]) => names.some((name) => pattern.test(name)));
  return found?.[1] ?? null;
}

/** Returns advice for a model that is not exported yet. @param model the folder, file or hub id. */
export function exportAdvice(model: string): string {
  const name = /\s/.test(model) ? `'${model}'` : model;
  return (
    `export it in ops/export with "python -m millrace_export ${name} -o my-model", ` +
    'then give the folder my-model as --model'
  );
}
