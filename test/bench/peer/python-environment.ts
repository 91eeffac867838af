import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../support/reference.js';

const run = promisify(execFile);
const requirements = join(repositoryRoot, 'test/bench/peer/requirements.txt');
/** Its own requirements are of 2023 and want another diffusers; it runs with today's. */
const original = 'streamdiffusion==0.1.1';

/**
 * A Python that has the original and what it needs, in an environment of its own that is kept for the next time.
 * @returns the program, or why there is none.
 */
export async function pythonEnvironment(): Promise<
  { readonly program: string } | { readonly missing: string }
> {
  const wanted = createHash('sha256')
    .update(await readFile(requirements))
    .update(original);
  const name = `peer-bench-${wanted.digest('hex').slice(0, 12)}`;
  const folder = join(repositoryRoot, 'node_modules/.cache/millrace', name);
  const program = join(folder, 'bin/python');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return { program };
  const python = process.env['PYTHON'] ?? 'python3';
  const pip = (...args: readonly string[]): Promise<unknown> =>
    run(program, ['-m', 'pip', 'install', '--quiet', ...args], { maxBuffer: 2 ** 26 });
  try {
    await run(python, ['-c', 'import sys; assert sys.version_info >= (3, 11), "it is older than 3.11"']);
  } catch (error) {
    return { missing: `no Python 3.11 or newer at "${python}", which PYTHON can name: ${lastLine(error)}` };
  }
  console.log('Installing the original with PyTorch, once: some hundred megabytes, or gigabytes with CUDA…');
  try {
    await rm(folder, { recursive: true, force: true });
    await run(python, ['-m', 'venv', folder]);
    await pip('-r', requirements);
    await pip('--no-deps', original);
    await writeFile(complete, '');
    return { program };
  } catch (error) {
    return { missing: `the original cannot be installed (venv and pip are needed): ${lastLine(error)}` };
  }
}

function lastLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';
}
