import { basename } from 'node:path';

/** Returns the name of a model folder: organisation/name if it is in the hub's cache, else its own name. */
export function modelName(folder: string): string {
  const [, repo] = /[/\\]models--([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}$/.exec(folder) ?? [];
  return repo?.replace('--', '/') ?? basename(folder);
}
