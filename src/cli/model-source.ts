import { existsSync } from 'node:fs';
import { isHubId, parseHubId } from '../model/hub/hub-id.js';
import { readHubSettings } from '../model/hub/hub-settings.js';
import { pullModel } from '../model/hub/pull-model.js';
import { DownloadProgress } from './pull/download-progress.js';

/**
 * Returns the folder of a model that is given as a folder or as an id at the hub; downloads it if it is not in the
 * cache. Progress goes to standard error. An existing folder of that name wins.
 * @throws {PullError} if the model cannot be downloaded.
 */
export async function findModel(text: string, signal: AbortSignal): Promise<string> {
  return existsSync(text) || !isHubId(text) ? text : pull(text, { signal });
}

/** Downloads a model from the hub into the cache. @returns its folder. @throws {PullError} */
export async function pull(
  text: string,
  { revision, signal }: { readonly revision?: string | undefined; readonly signal: AbortSignal },
): Promise<string> {
  const id = parseHubId(text, revision);
  using observer = new DownloadProgress(process.stderr);
  return await pullModel(id, { settings: readHubSettings(process.env), signal, observer });
}
