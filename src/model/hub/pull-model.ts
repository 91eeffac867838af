import { amount } from './amount.js';
import { mkdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { explainDiskErrors } from './disk-error.js';
import { download } from './download.js';
import { HubCache, sizeOf } from './hub-cache.js';
import { HubClient, type HubFile } from './hub-client.js';
import type { HubId } from './hub-id.js';
import type { HubSettings } from './hub-settings.js';
import { withLock } from './lock.js';
import { checkFiles, neededFiles } from './needed-files.js';
import { PullError, TransientError } from './pull-error.js';

export interface PullOptions {
  readonly settings: HubSettings;
  readonly signal: AbortSignal;
  readonly observer: PullObserver;
}

/** Is told how a pull goes. */
export interface PullObserver {
  /** One line for people: what it waits for, or does without. */
  onNote(text: string): void;
  /** Bytes of the model that are there, while a file is being downloaded. */
  onBytes(done: number, total: number, path: string): void;
  /** A file has arrived and is right. */
  onFile(path: string, bytes: number): void;
}

/**
 * Brings what is needed of a model into the cache, unless it is there; without a network it makes do with the
 * version that is there. A snapshot is put together once all its files have arrived.
 * @returns the model folder.
 * @throws {PullError} in one line what is wrong and what to do.
 */
export async function pullModel(id: HubId, { settings, signal, observer }: PullOptions): Promise<string> {
  const cache = new HubCache(settings.cache, id);
  const cached = await cache.findCommit(id.revision);
  if (settings.offline) {
    if (cached !== null) {
      observer.onNote(
        `HF_HUB_OFFLINE is set; taking ${id.repo} from the cache, commit ${cached.slice(0, 8)}`,
      );
      return cache.snapshot(cached);
    }
    throw new PullError(
      `HF_HUB_OFFLINE is set, and ${id.repo} (${id.revision}) is not in ${settings.cache}; ` +
        'unset it once to download the model',
    );
  }
  const client = new HubClient(id, settings, {
    signal,
    onRetry: (reason, wait) => observer.onNote(`${reason}; trying again in ${Math.ceil(wait / 1000)} s`),
  });
  let commit: string;
  try {
    // Who has the model need not wait for a hub that cannot be reached.
    commit = await client.commit(cached === null);
  } catch (error) {
    if (cached === null || !(error instanceof PullError && error.cause instanceof TransientError))
      throw error;
    observer.onNote(`${error.cause.message}; taking ${id.repo} from the cache, commit ${cached.slice(0, 8)}`);
    return cache.snapshot(cached);
  }
  const files = neededFiles(await client.files(commit));
  checkFiles(
    files.map(({ path }) => path),
    id.repo,
  );
  // One who may only read the cache can use what is in it.
  const present = await Promise.all(files.map((file) => cache.has(commit, file)));
  if (present.includes(false)) {
    await explainDiskErrors(settings.cache, () =>
      withLock(
        cache.lock,
        { signal, onWait: () => observer.onNote(`another process is pulling ${id.repo}; waiting for it`) },
        () => fill(client, cache, commit, files, observer),
      ),
    );
  }
  // One that cannot be noted is asked for again.
  await cache.writeRef(id.revision, commit).catch(() => {});
  return cache.snapshot(commit);
}

/** Downloads what is missing and puts the snapshot together. */
async function fill(
  client: HubClient,
  cache: HubCache,
  commit: string,
  files: readonly HubFile[],
  observer: PullObserver,
): Promise<void> {
  // Small files first: what cannot be read at all shows before the weights are under way.
  const bySize = [...files].sort((a, b) => a.size - b.size);
  const missing: HubFile[] = [];
  for (const file of bySize) if (!(await cache.hasBlob(file))) missing.push(file);
  const total = bySize.reduce((sum, { size }) => sum + size, 0);
  let done = total - missing.reduce((sum, { size }) => sum + size, 0);
  await checkRoom(cache, missing);
  for (const file of missing) {
    const onBytes = (bytes: number): void => observer.onBytes(done + bytes, total, file.path);
    const target = cache.blob(file);
    await mkdir(dirname(target), { recursive: true });
    await download(client, { commit, file, target, onBytes });
    done += file.size;
    observer.onFile(file.path, file.size);
  }
  // What tells a model from any folder comes last: a snapshot that has it is whole.
  const isIndex = ({ path }: HubFile): boolean => path === 'model_index.json';
  for (const file of files.filter((file) => !isIndex(file))) await cache.link(commit, file);
  for (const file of files.filter(isIndex)) await cache.link(commit, file);
}

/** @throws {PullError} if the files that are missing cannot fit on the disk. */
async function checkRoom(cache: HubCache, missing: readonly HubFile[]): Promise<void> {
  await mkdir(cache.folder, { recursive: true });
  let needed = 0;
  for (const file of missing) needed += file.size - ((await sizeOf(`${cache.blob(file)}.incomplete`)) ?? 0);
  const { bavail, bsize } = await statfs(cache.folder);
  if (needed <= bavail * bsize) return;
  throw new PullError(
    `${amount(needed)} are still to be downloaded, but the disk of ${cache.folder} has room for only ` +
      `${amount(bavail * bsize)}; make room, or choose another disk with HF_HUB_CACHE`,
  );
}
