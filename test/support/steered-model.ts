import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after } from 'node:test';
import { referenceModel, repositoryRoot } from './reference.js';

/** Graphs that steer the tiny model, as ops/export writes them: a folder for each choice of layers with a bank. */
const graphs = join(repositoryRoot, 'test/fixtures/reference/conditioned/graphs');
export type SteeredModelName = 'all' | 'bank-mid-up';
export const steeredModels: readonly SteeredModelName[] = ['all', 'bank-mid-up'];

/**
 * Creates the tiny model with a steered U-Net, control networks and an image encoder: links to the files of both, until
 * the tests of this file have ended. To be called at the top of a file.
 */
export async function steeredModel(name: SteeredModelName): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-steered-'));
  after(() => rm(folder, { recursive: true }));
  for (const source of [referenceModel(), join(graphs, name)]) {
    if (!existsSync(source)) throw new Error(`${source} does not exist`);
    const entries = await readdir(source, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((each) => each.isFile())) {
      const file = join(entry.parentPath, entry.name);
      const link = join(folder, relative(source, file));
      await mkdir(dirname(link), { recursive: true });
      await symlink(file, link);
    }
  }
  return folder;
}
