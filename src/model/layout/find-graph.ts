import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exportAdvice, otherWeights } from '../kind.js';
import { ModelError } from '../model-error.js';

/** The name of a part's graph, if there are several. */
const usual = 'model.onnx';
/** A second graph beside the usual one. */
const inInt8 = 'model_int8.onnx';

/**
 * Chooses the graph to run in a part: model.onnx, or the only one of another name (model_fp16.onnx and the like).
 * @param names of the files in the part's folder.
 * @returns its name, or all of them if the choice is ambiguous.
 */
export function chooseGraph(names: readonly string[]): string | readonly string[] {
  // Operating systems leave files behind whose names start with a dot (._model.onnx).
  const graphs = names.filter((name) => name.endsWith('.onnx') && !name.startsWith('.'));
  if (graphs.includes(usual)) return usual;
  const others = graphs.filter((name) => name !== inInt8);
  const [only, ...more] = others.length > 0 ? others : graphs;
  return only !== undefined && more.length === 0 ? only : others;
}

/**
 * Returns the paths of the graphs of all parts, in the same order.
 * @param root the model folder. @param parts names of folders in it.
 * @throws {ModelError} if one is missing or the choice is ambiguous; the message says what is there instead.
 */
export async function findGraphs(root: string, parts: readonly string[]): Promise<readonly string[]> {
  const chosen = await Promise.all(
    parts.map(async (part) => chooseGraph(await readdir(join(root, part)).catch(() => []))),
  );
  const missing = parts.filter((_, i) => chosen[i]?.length === 0);
  if (missing.length === parts.length) throw await noGraphs(root, parts);
  return Promise.all(
    parts.map(async (part, i) => {
      const graph = chosen[i];
      if (typeof graph === 'string') return join(root, part, graph);
      throw graph === undefined || graph.length === 0
        ? await noGraph(root, part)
        : new ModelError(
            join(root, part),
            `holds the graphs ${graph.join(', ')}; rename the one to use to ${usual}`,
          );
    }),
  );
}

async function noGraphs(root: string, parts: readonly string[]): Promise<ModelError> {
  for (const part of [...parts, 'vae']) {
    const found = await otherWeights(join(root, part));
    if (found === null) continue;
    const lack = `holds ${found}, but no ONNX graphs, which are needed here`;
    return new ModelError(root, `${lack}; ${exportAdvice(root)}`);
  }
  return new ModelError(
    root,
    'holds neither ONNX graphs nor weights that could be exported; download the model again',
  );
}

/** Some exports leave out the encoder of the VAE. */
async function noGraph(root: string, part: string): Promise<ModelError> {
  const places = part.startsWith('vae_') ? [part, 'vae'] : [part];
  const use = part === 'vae_encoder' ? ', which is needed to read pictures' : '';
  for (const place of places) {
    const found = await otherWeights(join(root, place));
    if (found === null) continue;
    return new ModelError(
      join(root, part, usual),
      `no such file${use}; ${place} has only ${found}; ${exportAdvice(root)}`,
    );
  }
  return new ModelError(
    join(root, part, usual),
    `no such file${use}; download the folder ${part} too, or export the model again with it`,
  );
}
