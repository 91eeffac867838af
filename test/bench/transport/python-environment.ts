import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../../support/reference.js';

const run = promisify(execFile);
const sources = join(repositoryRoot, 'test/bench/transport');

export const fastApiServer = join(sources, 'fastapi_server.py');

/**
 * A Python with what the other server needs, in an environment of its own that is kept for the next time.
 * @returns the program, or why there is none.
 */
export async function pythonEnvironment(): Promise<
  { readonly program: string } | { readonly missing: string }
> {
  const requirements = join(sources, 'requirements.txt');
  const key = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = join(repositoryRoot, 'node_modules/.cache/millrace', `transport-bench-${key}`);
  const program = join(folder, 'bin/python');
  if (existsSync(program)) return { program };
  const python = process.env['PYTHON'] ?? 'python3';
  const making = `${folder}.making`;
  try {
    await rm(making, { recursive: true, force: true });
    await run(python, ['-m', 'venv', making]);
    await run(join(making, 'bin/python'), ['-m', 'pip', 'install', '--quiet', '-r', requirements]);
    await rename(making, folder);
    return { program };
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return { missing: `no FastAPI to compare with: ${reason}; PYTHON names a Python 3.10 or newer` };
  }
}
