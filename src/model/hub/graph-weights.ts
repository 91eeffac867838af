import { dirname, normalize } from 'node:path/posix';
import { ModelError } from '../model-error.js';
import { readSignature } from '../onnx/signature.js';
import { isPlain } from './needed-files.js';
import { PullError } from './pull-error.js';

/** Returns whether a file is an ONNX graph, which may need others. */
export function isGraph({ path }: { readonly path: string }): boolean {
  return path.endsWith('.onnx');
}

/**
 * Returns the files of a model that hold the weights of a graph, whatever their names: `model.onnx_data`, one file for
 * each tensor, or the `.safetensors` that PyTorch reads too.
 * @param graph its path in the repository.
 * @param local its path on this machine.
 * @throws {PullError} if it is not a graph, or names a file that is not beside it.
 */
export function weightsOf<File extends { readonly path: string }>(
  graph: string,
  local: string,
  { repo, files }: { readonly repo: string; readonly files: readonly File[] },
): readonly File[] {
  return namedBy(graph, local, repo).map((location) => {
    const name = normalize(location);
    const path = `${dirname(graph)}/${name}`;
    const file = isPlain(name) ? files.find((file) => file.path === path) : undefined;
    if (file !== undefined) return file;
    throw new PullError(
      `${graph} of ${repo} has its weights in ${JSON.stringify(location)}, but the repository does not contain that file; ` +
        'report it to its owner, or export the model yourself in ops/export',
    );
  });
}

function namedBy(graph: string, local: string, repo: string): readonly string[] {
  try {
    return readSignature(local).weightFiles;
  } catch (cause) {
    if (!(cause instanceof ModelError)) throw cause;
    throw new PullError(
      `${graph} of ${repo} is not an ONNX graph, or only a part of one; ` +
        'report it to its owner, or export the model yourself in ops/export',
      { cause },
    );
  }
}
