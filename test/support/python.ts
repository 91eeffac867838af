import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { repositoryRoot } from './reference.js';

export const noPython = 'no Python with websockets and msgpack found; set PYTHON to one';

/** Finds a Python that can run the Python client, and the environment in which it finds the client. */
export async function findPython(): Promise<
  { readonly program: string; readonly env: NodeJS.ProcessEnv } | undefined
> {
  const program = process.env['PYTHON'] ?? 'python3';
  const env = { PYTHONPATH: join(repositoryRoot, 'clients/python/src') };
  try {
    await promisify(execFile)(program, ['-c', 'import millrace'], { env: { ...process.env, ...env } });
  } catch {
    return undefined;
  }
  return { program, env };
}
