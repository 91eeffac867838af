import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the installed package, with the page and the embedded model. */
const root = new URL('../../', import.meta.url);

/** Returns the absolute path of a file or folder of the package. */
export function packagePath(relative: string): string {
  return fileURLToPath(new URL(relative, root));
}

/** Version of this software, such as `1.2.3`. */
export const version = readVersion();

function readVersion(): string {
  const description: unknown = JSON.parse(readFileSync(packagePath('package.json'), 'utf8'));
  const known = typeof description === 'object' && description !== null && 'version' in description;
  return known ? String(description.version) : 'unknown';
}
