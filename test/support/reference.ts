import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's top folder, seen from the built tests. */
export const repositoryRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** The reference data: MILLRACE_REFERENCE, or the whole set where it lies beside the repository, or the subset in it. */
export const referenceFolder = findReference();

function findReference(): string {
  const named = process.env['MILLRACE_REFERENCE'];
  if (named) {
    if (existsSync(named)) return resolve(named);
    throw new Error(`MILLRACE_REFERENCE is ${named}, which does not exist`);
  }
  const beside = join(repositoryRoot, '../shared/reference');
  return existsSync(beside) ? beside : join(repositoryRoot, 'test/fixtures/reference');
}

/** One recorded case: NAME.json and, for most, NAME.safetensors. */
export interface ReferenceCase {
  readonly name: string;
  readonly info: Readonly<Record<string, unknown>>;
  readonly tensors: string;
}

/** All cases of a folder of the reference, whatever their names. */
export function referenceCases(folder: 'goldens' | 'schedulers'): readonly ReferenceCase[] {
  const path = join(referenceFolder, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
    .map((file) => {
      const name = file.slice(0, -'.json'.length);
      return {
        name,
        info: JSON.parse(readFileSync(join(path, file), 'utf8')) as Record<string, unknown>,
        tensors: join(path, `${name}.safetensors`),
      };
    });
}
