import { PullError } from './pull-error.js';

/** Folders of a diffusers model that nothing here uses. */
const unused = new Set(['safety_checker', 'feature_extractor', 'image_encoder']);
/** Graphs without which no picture is made. */
const graphs = ['text_encoder', 'unet', 'vae_encoder', 'vae_decoder'].map((part) => `${part}/model.onnx`);
/** Weights in other formats, other things beside a graph, and other graphs with what belongs to them. */
const otherFormat =
  /\.(?:safetensors|bin|pt|pth|ckpt|msgpack|h5|xml|engine|md|txt|py|png|jpe?g|index\.json)$/i;

/**
 * Those of a model's files that are needed to run it: configurations, the tokenizer, ONNX graphs with the files
 * that hold their weights (whatever their names: the graph knows them), and millrace.json.
 */
export function neededFiles<File extends { readonly path: string }>(files: readonly File[]): readonly File[] {
  const paths = new Set(files.map(({ path }) => path));
  return files.filter(({ path }) => {
    const [folder = '', name, ...deeper] = path.split('/');
    if (name === undefined) return path === 'model_index.json' || path === 'millrace.json';
    if (deeper.length > 0 || unused.has(folder) || !isPlain(folder) || !isPlain(name)) return false;
    if (name === 'config.json') return true;
    if (folder === 'scheduler') return name.endsWith('.json');
    if (/^tokenizer(?:_\d+)?$/.test(folder)) return /\.(?:json|txt)$/.test(name);
    if (!paths.has(`${folder}/model.onnx`) || otherFormat.test(name)) return false;
    const [graph] = /^.*\.onnx/.exec(name) ?? [];
    return graph === undefined || graph === 'model.onnx';
  });
}

/** @throws {PullError} if these files cannot be a model that runs here; says what to do. */
export function checkFiles(paths: readonly string[], repo: string): void {
  const missing = [...graphs].filter((graph) => !paths.includes(graph));
  if (!paths.includes('model_index.json')) {
    throw new PullError(`${repo} is no model in the diffusers layout: it has no model_index.json`);
  }
  if (missing.length === 0) return;
  const lack = missing.length === graphs.length ? 'has no ONNX files' : `lacks ${missing.join(', ')}`;
  throw new PullError(
    `${repo} ${lack}; export it with "python ops/export/export.py ${repo} my-model", then give --model my-model`,
  );
}

/** Whether a name stays inside its folder, on every system. */
function isPlain(name: string): boolean {
  return /^[^\\/:*?"<>|]+$/.test(name) && !/^\.+$/.test(name);
}
