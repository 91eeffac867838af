import { basename } from 'node:path';

/** What a model folder is called: organisation/name where it lies in the hub's cache, else its own name. */
export function modelName(folder: string): string {
  const [, repo] = /[/\\]models--([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}$/.exec(folder) ?? [];
  return repo?.replace('--', '/') ?? basename(folder);
}
