import { PullError } from './pull-error.js';

/** Folders of a diffusers model that nothing here uses. */
const unused = new Set(['safety_checker', 'feature_extractor', 'image_encoder']);
/** Parts without whose graph no picture is made. */
const parts = ['text_encoder', 'unet', 'vae_encoder', 'vae_decoder'];
/** Of these, a second graph in 8 bits is used where there is one. */
const partsInInt8 = new Set(['unet', 'vae_encoder', 'vae_decoder']);

/**
 * Those of a model's files that are needed to run it, but for weights that lie beside the graphs, which only the
 * graphs know (graph-weights.ts): configurations, the tokenizers, millrace.json, and of several ONNX graphs of one part
 * the one of the usual name, with its copy in 8 bits.
 */
export function neededFiles<File extends { readonly path: string }>(files: readonly File[]): readonly File[] {
  const graphs = graphsOf(files.map(({ path }) => path));
  return files.filter(({ path }) => {
    const [folder = '', name, ...deeper] = path.split('/');
    if (name === undefined) return path === 'model_index.json' || path === 'millrace.json';
    if (deeper.length > 0 || unused.has(folder) || !isPlain(folder) || !isPlain(name)) return false;
    if (name === 'config.json') return true;
    if (folder === 'scheduler') return name.endsWith('.json');
    if (/^tokenizer(?:_\d+)?$/.test(folder)) return /\.(?:json|txt)$/.test(name);
    const graph = graphs.get(folder);
    if (name === 'model_int8.onnx' && graph === 'model.onnx') return partsInInt8.has(folder);
    return name === graph;
  });
}

/** @throws {PullError} if a model of these files cannot run here; says what to do. */
export function checkFiles(paths: readonly string[], repo: string): void {
  if (!paths.includes('model_index.json')) {
    throw new PullError(`${repo} is no model in the diffusers layout: it has no model_index.json`);
  }
  const graphs = graphsOf(paths);
  const second = paths.some((path) => path.startsWith('text_encoder_2/')) ? ['text_encoder_2'] : [];
  const missing = [...parts, ...second].filter((part) => !graphs.has(part));
  if (missing.length === 0) return;
  const lack = graphs.size === 0 ? 'has no ONNX files' : `has no ONNX file in ${missing.join(', ')}`;
  throw new PullError(
    `${repo} ${lack}; export it in ops/export with "python -m millrace_export ${repo} -o my-model", ` +
      'then give the folder my-model as --model',
  );
}

/** The graph in each folder that has one: model.onnx, or the only one of another name. */
function graphsOf(paths: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string[]>();
  for (const path of paths) {
    const [, folder, name] = /^([^/]+)\/([^/]+\.onnx)$/.exec(path) ?? [];
    if (folder !== undefined && name !== undefined) found.set(folder, [...(found.get(folder) ?? []), name]);
  }
  const chosen = [...found].flatMap(([folder, names]): [string, string][] => {
    const name = names.find((name) => name === 'model.onnx') ?? (names.length === 1 ? names[0] : undefined);
    return name === undefined ? [] : [[folder, name]];
  });
  return new Map(chosen);
}

/** Whether a name stays inside its folder, on every system. */
export function isPlain(name: string): boolean {
  return /^[^\\/:*?"<>|]+$/.test(name) && !/^\.+$/.test(name);
}
