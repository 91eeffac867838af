import { exportAdvice, otherKind } from '../kind.js';
import { chooseGraph } from '../layout/find-graph.js';
import { PullError } from './pull-error.js';

/** Folders of a diffusers model that are not used here. */
const unused = new Set(['safety_checker', 'feature_extractor', 'image_encoder']);
/** Parts whose graphs are required. */
const parts = ['text_encoder', 'unet', 'vae_encoder', 'vae_decoder'];
/** Parts whose second graph, in 8 bits, is used if there is one. */
const partsInInt8 = new Set(['unet', 'vae_encoder', 'vae_decoder']);
/** The files of a preprocessor. */
const ofPreprocessor = /^preprocessors\/[a-z0-9_-]{1,40}\/(?:model\.onnx|config\.json)$/;

/** The graphs of control networks and of the image encoder, which only a steered U-Net uses. */
const ofSteering = /^(?:controls\/[a-z0-9_-]{1,40}|image_encoder)\/model\.onnx$/;

/**
 * Returns the files of a model that are needed to run it, except weights beside the graphs, which only the graphs name
 * (graph-weights.ts): configurations, the tokenizers, millrace.json, and of several ONNX graphs of one part the one
 * with the usual name, with its copy in 8 bits.
 */
export function neededFiles<File extends { readonly path: string }>(files: readonly File[]): readonly File[] {
  const graphs = graphsOf(files.map(({ path }) => path));
  const isSteered = graphs.has('unet_steered');
  return files.filter(({ path }) => {
    const [folder = '', name, ...deeper] = path.split('/');
    if (ofSteering.test(path)) return isSteered;
    if (ofPreprocessor.test(path)) return true;
    if (name === undefined) return path === 'model_index.json' || path === 'millrace.json';
    if (deeper.length > 0 || unused.has(folder) || !isPlain(folder) || !isPlain(name)) return false;
    if (name === 'config.json') return true;
    if (folder === 'scheduler') return name.endsWith('.json');
    if (/^tokenizer(?:_\d+)?$/.test(folder)) return /\.(?:json|txt)$/.test(name);
    const graph = graphs.get(folder);
    if (name === 'model_int8.onnx' && graph !== undefined && graph !== name) return partsInInt8.has(folder);
    return name === graph;
  });
}

/**
 * Checks that a model can run here.
 * @param paths of all its files.
 * @throws {PullError} if it cannot; the message says what to do.
 */
export function checkFiles(paths: readonly string[], repo: string): void {
  if (!paths.includes('model_index.json')) {
    const file = paths.find((path) => /^[^/]+\.(?:safetensors|ckpt)$/.test(path));
    const advice =
      file === undefined ? '' : `; it has the checkpoint ${file}: download that, and ${exportAdvice(file)}`;
    throw new PullError(
      `${repo} is not a model in the diffusers layout: it has no model_index.json${advice}`,
    );
  }
  const kind = otherKind(
    new Set(paths.flatMap((path) => (path.includes('/') ? [path.split('/')[0] ?? ''] : []))),
  );
  if (kind !== null) throw new PullError(`${repo} is ${kind}, which cannot be run here`);
  const graphs = graphsOf(paths);
  for (const [part, choice] of choicesOf(paths)) {
    if (typeof choice === 'string' || choice.length === 0 || !parts.includes(part)) continue;
    throw new PullError(
      `${repo} has several graphs in ${part} (${choice.join(', ')}) and none that is called model.onnx; ` +
        'download it by hand, rename the graph to use to model.onnx, and give the folder as --model',
    );
  }
  const second = paths.some((path) => path.startsWith('text_encoder_2/')) ? ['text_encoder_2'] : [];
  const missing = [...parts, ...second].filter((part) => !graphs.has(part));
  if (missing.length === 0) return;
  const lack = graphs.size === 0 ? 'has no ONNX files' : `has no ONNX file in ${missing.join(', ')}`;
  throw new PullError(`${repo} ${lack}; ${exportAdvice(repo)}`);
}

/** Returns the graph to run in each folder that has one. */
function graphsOf(paths: readonly string[]): ReadonlyMap<string, string> {
  const chosen = [...choicesOf(paths)].flatMap(([folder, graph]): [string, string][] =>
    typeof graph === 'string' ? [[folder, graph]] : [],
  );
  return new Map(chosen);
}

/** Returns the graph of each folder, or all of its graphs if the choice is ambiguous. */
function choicesOf(paths: readonly string[]): ReadonlyMap<string, string | readonly string[]> {
  const found = new Map<string, string[]>();
  for (const path of paths) {
    const [, folder, name] = /^([^/]+)\/([^/]+\.onnx)$/.exec(path) ?? [];
    if (folder !== undefined && name !== undefined) found.set(folder, [...(found.get(folder) ?? []), name]);
  }
  return new Map([...found].map(([folder, names]) => [folder, chooseGraph(names)]));
}

/** Returns whether a name stays inside its folder, on every system. */
export function isPlain(name: string): boolean {
  return /^[^\\/:*?"<>|]+$/.test(name) && !/^\.+$/.test(name);
}
