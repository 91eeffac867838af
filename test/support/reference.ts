import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The repository's root, seen from the built file dist/test/support/reference.js. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * Returns the folder with reference data recorded from streamdiffusion and diffusers: the one that MILLRACE_REFERENCE
 * names, else the full set beside the repository if it exists, else the small part in the repository.
 */
function referenceFolder(): string {
  const given = process.env['MILLRACE_REFERENCE'];
  if (given !== undefined && given !== '') return given;
  const beside = join(repositoryRoot, '../shared/reference');
  return existsSync(beside) ? beside : join(repositoryRoot, 'test/fixtures/reference');
}

/** Returns the model that the streams were recorded with: in the reference folder, or else in the full set. */
export function referenceModel(): string {
  const folders = [
    referenceFolder(),
    join(repositoryRoot, '../shared/reference'),
    join(repositoryRoot, 'test/fixtures/reference'),
  ];
  const models = folders.map((folder) => join(folder, 'tiny-sd'));
  return models.find((folder) => existsSync(folder)) ?? join(referenceFolder(), 'tiny-sd');
}

export interface ReferenceCase {
  readonly name: string;
  readonly json: string;
  /** May not exist: some cases have only JSON. */
  readonly tensors: string;
}

/** Returns the cases of one kind: every JSON file in that folder of the reference. */
export function referenceCases(
  kind: 'goldens' | 'schedulers' | 'conditioned' | 'samplers',
): readonly ReferenceCase[] {
  const folder = join(referenceFolder(), kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .toSorted()
    .map((name) => ({
      name,
      json: join(folder, `${name}.json`),
      tensors: join(folder, `${name}.safetensors`),
    }));
}

/** Reads JSON as Python writes it: numbers that are NaN or infinite become null. */
export async function readReferenceJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8');
  return JSON.parse(text.replaceAll(/([:[,]\s*)(?:NaN|-?Infinity)(?=\s*[,\]}])/g, '$1null'));
}
