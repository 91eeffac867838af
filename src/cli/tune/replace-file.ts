import { rename, writeFile } from 'node:fs/promises';

/** Replaces a file at once, so that it is whole at any time. */
export async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}
