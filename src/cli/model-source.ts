import { existsSync } from 'node:fs';
import { isHubId, parseHubId } from '../model/hub/hub-id.js';
import { readHubSettings } from '../model/hub/hub-settings.js';
import { pullModel } from '../model/hub/pull-model.js';
import { DownloadProgress } from './pull/download-progress.js';

/**
 * The folder of a model that is given as a folder or as an id at the hub, from where it is downloaded if it is not
 * in the cache. Progress goes to standard error. A folder of the name wins.
 * @throws {PullError} if the model cannot be had.
 */
export async function findModel(text: string, signal: AbortSignal): Promise<string> {
  return existsSync(text) || !isHubId(text) ? text : pull(text, { signal });
}

/** Brings a model of the hub into the cache. @returns its folder. @throws {PullError} */
export async function pull(
  text: string,
  { revision, signal }: { readonly revision?: string | undefined; readonly signal: AbortSignal },
): Promise<string> {
  const id = parseHubId(text, revision);
  using observer = new DownloadProgress(process.stderr);
  return await pullModel(id, { settings: readHubSettings(process.env), signal, observer });
}
