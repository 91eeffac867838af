import { getRepoFolderName } from '@huggingface/hub';
import { randomUUID } from 'node:crypto';
import {
  copyFile,
  link,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { HubFile } from './hub-client.js';
import type { HubId } from './hub-id.js';

/**
 * A model's folder in the cache that all tools of the hub share (huggingface_hub, "Understand caching"):
 * blobs/ holds contents by their checksum, snapshots/COMMIT/ links to them by their paths, and refs/REVISION names
 * the commit that a branch or tag was last seen at.
 */
export class HubCache {
  readonly folder: string;
  readonly lock: string;

  /** @param cache the folder of all models. */
  constructor(cache: string, { repo }: HubId) {
    const name = getRepoFolderName({ type: 'model', name: repo });
    this.folder = join(cache, name);
    this.lock = join(cache, '.locks', name, 'millrace.lock');
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  blob({ checksum }: HubFile): string {
    return join(this.folder, 'blobs', checksum.hex);
  }

  /** Returns the commit of a revision, if the cache has its model_index.json; else null. */
  async findCommit(revision: string): Promise<string | null> {
    const commit = await readFile(join(this.folder, 'refs', revision), 'utf8').then(
      (text) => text.trim(),
      () => revision,
    );
    if (!/^[0-9a-f]{40}$/.test(commit)) return null;
    return (await sizeOf(join(this.snapshot(commit), 'model_index.json'))) === null ? null : commit;
  }

  /** Returns whether the snapshot has the file under its path. */
  async has(commit: string, file: HubFile): Promise<boolean> {
    return (await sizeOf(join(this.snapshot(commit), file.path))) === file.size;
  }

  /** Returns whether the cache has the content of the file. */
  async hasBlob(file: HubFile): Promise<boolean> {
    return (await sizeOf(this.blob(file))) === file.size;
  }

  /** Links a file into the snapshot; its content must be in the cache. */
  async link(commit: string, file: HubFile): Promise<void> {
    const path = join(this.snapshot(commit), file.path);
    const blob = this.blob(file);
    const target = relative(dirname(path), blob);
    if ((await readlink(path).catch(() => null)) === target) return;
    await mkdir(dirname(path), { recursive: true });
    const fresh = `${path}.${randomUUID()}`;
    // Windows grants symbolic links to few users; a hard link takes no room either.
    await symlink(target, fresh)
      .catch(() => link(blob, fresh))
      .catch(() => copyFile(blob, fresh));
    await rename(fresh, path);
  }

  /** Stores the commit of a branch or tag. */
  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision === commit) return;
    const path = join(this.folder, 'refs', revision);
    if ((await readFile(path, 'utf8').catch(() => null)) === commit) return;
    await mkdir(dirname(path), { recursive: true });
    const fresh = `${path}.${randomUUID()}`;
    try {
      await writeFile(fresh, commit);
      await rename(fresh, path);
    } finally {
      await rm(fresh, { force: true });
    }
  }
}

/** Returns the size in bytes of the file at a path; null if there is none. */
export async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}
