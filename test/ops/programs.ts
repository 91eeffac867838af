import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program that is not part of this project, and may be missing. */
export interface Program {
  readonly path: string;
  /** The `skip` option of a test: false, or why it cannot run. */
  readonly skip: string | false;
}

/** Looks for a program at the path in the variable, in PATH, or in Debian's folders for administrators. */
export function findProgram(name: string, variable?: string): Program {
  const named = variable === undefined ? undefined : process.env[variable];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const path = named ?? folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (path !== undefined) return { path, skip: false };
  const hint = variable === undefined ? '' : `, and ${variable} names none`;
  return { path: name, skip: `${name} is not installed${hint}` };
}

/** Runs a program to its end. Returns null on success, else its output. */
export function complaintsOf(
  { path }: Program,
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): string | null {
  const { status, error, stdout, stderr } = spawnSync(path, args, { encoding: 'utf8', ...options });
  if (error) return error.message;
  return status === 0 ? null : `${stdout}${stderr}`;
}
