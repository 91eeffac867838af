import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../support/reference.js';
import { exportPython, lastLine } from '../python-environment.js';

const run = promisify(execFile);
const script = join(repositoryRoot, 'test/bench/steered/make_model.py');

/**
 * Exports a model with the blocks of Stable Diffusion 1.5 and random weights, or returns one that was exported earlier.
 * `PYTHON` names a Python that has the packages of ops/export.
 * @param width of the first block; 320 is the full size.
 * @returns its folder, or why there is none.
 */
export async function exportModel(
  width: number,
): Promise<{ readonly folder: string } | { readonly missing: string }> {
  const version = createHash('sha256')
    .update(await readFile(script))
    .digest('hex')
    .slice(0, 12);
  const folder = join(repositoryRoot, 'node_modules/.cache/millrace', `steered-bench-${width}-${version}`);
  if (existsSync(folder)) return { folder };
  const python = await exportPython();
  if ('missing' in python) return python;
  console.log('Exporting a random model with the blocks of Stable Diffusion 1.5, once: some minutes…');
  try {
    await mkdir(dirname(folder), { recursive: true });
    await run(python.program, [script, folder, String(width)], { maxBuffer: 2 ** 26 });
    return { folder };
  } catch (error) {
    return { missing: `it cannot be exported: ${lastLine(error)}` };
  }
}
