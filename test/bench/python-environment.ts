import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { repositoryRoot } from '../support/reference.js';

const run = promisify(execFile);

/** Requirements of the Python side of a comparison. */
export interface PythonNeeds {
  /** The benchmark, whose folder has the requirements.txt. */
  readonly bench: string;
  /** Packages to install without their dependencies. */
  readonly alone?: readonly string[];
  /** The oldest supported 3.x, checked before anything is installed. */
  readonly oldest?: number;
  /** Printed before anything is installed. */
  readonly notice?: string;
  /** Returns the message for an environment that cannot be created, from the reason. */
  readonly missing: (reason: string) => string;
}

/**
 * Creates a virtual environment with the requirements, or reuses an earlier one. `PYTHON` names the Python to create it
 * with.
 * @returns the program, or why there is none.
 */
export async function pythonEnvironment(
  needs: PythonNeeds,
): Promise<{ readonly program: string } | { readonly missing: string }> {
  const { bench, alone = [], oldest, notice, missing } = needs;
  const requirements = join(repositoryRoot, 'test/bench', bench, 'requirements.txt');
  const wanted = createHash('sha256').update(await readFile(requirements));
  for (const name of alone) wanted.update(name);
  const name = `${bench}-bench-${wanted.digest('hex').slice(0, 12)}`;
  const folder = join(repositoryRoot, 'node_modules/.cache/millrace', name);
  const program = join(folder, 'bin/python');
  const complete = join(folder, 'complete');
  if (existsSync(complete)) return { program };
  const python = process.env['PYTHON'] ?? 'python3';
  if (oldest !== undefined) {
    const check = `import sys; assert sys.version_info >= (3, ${oldest}), "it is older than 3.${oldest}"`;
    try {
      await run(python, ['-c', check]);
    } catch (error) {
      const reason = lastLine(error);
      return { missing: `"${python}" is not Python 3.${oldest} or newer; set PYTHON to one: ${reason}` };
    }
  }
  if (notice !== undefined) console.log(notice);
  const pip = (...args: readonly string[]): Promise<unknown> =>
    run(program, ['-m', 'pip', 'install', '--quiet', ...args], { maxBuffer: 2 ** 26 });
  try {
    await rm(folder, { recursive: true, force: true });
    await run(python, ['-m', 'venv', folder]);
    await pip('-r', requirements);
    if (alone.length > 0) await pip('--no-deps', ...alone);
    await writeFile(complete, '');
    return { program };
  } catch (error) {
    return { missing: missing(lastLine(error)) };
  }
}

/** What ops/export imports. */
const exportPackages = ['diffusers', 'onnx', 'onnxruntime', 'torch', 'transformers'];

/**
 * Finds the Python that `PYTHON` names, if it has the packages of ops/export.
 * @returns the program, or why there is none.
 */
export async function exportPython(): Promise<{ readonly program: string } | { readonly missing: string }> {
  const program = process.env['PYTHON'] ?? 'python3';
  try {
    await run(program, ['-c', `import ${exportPackages.join(', ')}`]);
    return { program };
  } catch (error) {
    const needs = `"${program}" lacks a package of ops/export/requirements.txt; set PYTHON to one that has them`;
    return { missing: `${needs}: ${lastLine(error)}` };
  }
}

/** Returns the last line of what a program wrote before it failed. */
export function lastLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';
}
