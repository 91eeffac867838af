import { join } from 'node:path';
import { explainDiskErrors } from './disk-error.js';
import { isGraph, weightsOf } from './graph-weights.js';
import { HubCache } from './hub-cache.js';
import { HubClient, type HubFile } from './hub-client.js';
import type { HubId } from './hub-id.js';
import type { HubSettings } from './hub-settings.js';
import { withLock } from './lock.js';
import { checkFiles, neededFiles } from './needed-files.js';
import { PullError, TransientError } from './pull-error.js';
import { SnapshotFill, type Listing, type PullObserver } from './snapshot-fill.js';

export interface PullOptions {
  readonly settings: HubSettings;
  readonly signal: AbortSignal;
  readonly observer: PullObserver;
}

/**
 * Downloads the needed files of a model into the cache, unless they are there; without a network it takes the cached
 * version. A snapshot is assembled once all its files have arrived.
 * @returns the model folder.
 * @throws {PullError} if that fails; its message says in one line what is wrong and what to do.
 */
export async function pullModel(id: HubId, { settings, signal, observer }: PullOptions): Promise<string> {
  const cache = new HubCache(settings.cache, id);
  const cached = await cache.findCommit(id.revision);
  if (settings.offline) {
    if (cached !== null) {
      observer.onNote(`HF_HUB_OFFLINE is set; using ${id.repo} from the cache, commit ${cached.slice(0, 8)}`);
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
    // With a cached model there is no need to wait for a hub that cannot be reached.
    commit = await client.commit(cached === null);
  } catch (error) {
    if (cached === null || !(error instanceof PullError && error.cause instanceof TransientError))
      throw error;
    observer.onNote(`${error.cause.message}; using ${id.repo} from the cache, commit ${cached.slice(0, 8)}`);
    return cache.snapshot(cached);
  }
  const listing = { repo: id.repo, files: await client.files(commit) };
  const needed = neededFiles(listing.files);
  checkFiles(
    listing.files.map(({ path }) => path),
    id.repo,
  );
  // A complete snapshot can be used without the right to write to the cache.
  if (!(await isComplete(cache, commit, needed, listing))) {
    await explainDiskErrors(settings.cache, () =>
      withLock(
        cache.lock,
        { signal, onWait: () => observer.onNote(`another process is pulling ${id.repo}; waiting for it`) },
        () => new SnapshotFill({ client, cache, commit, listing, observer }).run(needed),
      ),
    );
  }
  // If it cannot be stored, the hub is asked again next time.
  await cache.writeRef(id.revision, commit).catch(() => {});
  return cache.snapshot(commit);
}

/** Returns whether the snapshot is complete, with the weights that its graphs name. */
async function isComplete(
  cache: HubCache,
  commit: string,
  needed: readonly HubFile[],
  listing: Listing,
): Promise<boolean> {
  const arePresent = async (files: readonly HubFile[]): Promise<boolean> =>
    !(await Promise.all(files.map((file) => cache.has(commit, file)))).includes(false);
  if (!(await arePresent(needed))) return false;
  const local = (path: string): string => join(cache.snapshot(commit), path);
  return arePresent(needed.filter(isGraph).flatMap(({ path }) => weightsOf(path, local(path), listing)));
}
