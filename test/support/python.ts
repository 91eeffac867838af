import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { repositoryRoot } from './reference.js';

export const noPython = 'no Python with websockets and msgpack found; set PYTHON to one';

/** What the client needs, by its pyproject.toml. */
const needed = [
  'import sys, importlib.metadata as packages, msgpack, websockets',
  'assert sys.version_info >= (3, 10)',
  'assert int(packages.version("websockets").split(".")[0]) >= 15',
].join('\n');

/**
 * Finds a Python that has the packages of the Python client, and the environment in which it finds the client.
 * @throws if there is one, but it cannot import the client.
 */
export async function findPython(): Promise<
  { readonly program: string; readonly env: NodeJS.ProcessEnv } | undefined
> {
  const program = process.env['PYTHON'] ?? 'python3';
  const env = { PYTHONPATH: join(repositoryRoot, 'clients/python/src') };
  const run = promisify(execFile);
  try {
    await run(program, ['-c', needed]);
  } catch {
    return undefined;
  }
  await run(program, ['-c', 'import millrace'], { env: { ...process.env, ...env } });
  return { program, env };
}
