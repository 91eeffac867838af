import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { after } from 'node:test';
import { referenceModel, repositoryRoot } from './reference.js';

/** Graphs that steer the tiny model, as ops/export writes them: a folder for each choice of layers with a bank. */
const graphs = join(repositoryRoot, 'test/fixtures/reference/conditioned/graphs');
export type SteeredModelName = 'all' | 'bank-mid-up';
export const steeredModels: readonly SteeredModelName[] = ['all', 'bank-mid-up'];

/**
 * Creates the tiny model with a steered U-Net, control networks and an image encoder, until the tests of this file have
 * ended. To be called at the top of a file.
 */
export async function steeredModel(name: SteeredModelName): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-steered-'));
  after(() => rm(folder, { recursive: true }));
  await linkSteeredModel(name, folder);
  return folder;
}

/** Fills a folder with that model: links to its files. */
export async function linkSteeredModel(name: SteeredModelName, folder: string): Promise<void> {
  await linkFiles(referenceModel(), folder);
  await linkFiles(join(graphs, name), folder);
}

/** Fills a folder with links to the files of another, without those of some of its folders. */
export async function linkFiles(
  source: string,
  folder: string,
  without: readonly string[] = [],
): Promise<void> {
  if (!existsSync(source)) throw new Error(`${source} does not exist`);
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => !each.isDirectory())) {
    const file = join(entry.parentPath, entry.name);
    const path = relative(source, file);
    if (without.includes(path.split(sep)[0] ?? '')) continue;
    const link = join(folder, path);
    await mkdir(dirname(link), { recursive: true });
    await symlink(file, link);
  }
}
