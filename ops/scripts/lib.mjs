// Helpers that the scripts share. Plain Node without packages: the scripts run before anything is installed.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A failure whose reason is already printed; the script ends with this exit code. */
export class Failure extends Error {
  constructor(exitCode = 1) {
    super();
    this.exitCode = exitCode;
  }
}

/** Prints a line to standard error. Standard output belongs to the command that runs. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Returns the path of a program in node_modules. */
export function tool(path) {
  return join(root, 'node_modules', path);
}

/**
 * Runs a program until it exits; with `quiet` its output is returned instead of shown.
 * Ctrl-C reaches the program too; this process waits for it to exit.
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, { quiet = false, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const ignore = () => {};
    process.on('SIGINT', ignore);
    const windowsShell = process.platform === 'win32' && command.endsWith('.cmd');
    const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit';
    const child = spawn(command, args, { cwd: root, env, stdio, shell: windowsShell });
    let output = '';
    child.stdout?.on('data', (data) => (output += data));
    child.stderr?.on('data', (data) => (output += data));
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('SIGINT', ignore);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Runs a program as `run` does, with its output shown. @throws {Failure} with its exit code, unless that is 0. */
export async function mustRun(command, args, options) {
  const { code } = await run(command, args, options);
  if (code !== 0) throw new Failure(code);
}

/** Returns all files under a folder of the repository, as sorted paths relative to its root; none if it is missing. */
export function filesUnder(folder, skip = () => false) {
  const files = [];
  const walk = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (skip(entry.name)) continue;
      const child = join(path, entry.name);
      if (entry.isDirectory()) walk(child);
      else files.push(relative(root, child));
    }
  };
  try {
    walk(join(root, folder));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return files.sort();
}

/** Runs the main part of a script; a `Failure` sets the exit code and prints nothing more. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.exitCode = error.exitCode;
  }
}

/** Whether a module is the script that Node was started with, and not imported by another one. */
export function isStarted(moduleUrl) {
  return process.argv[1] === fileURLToPath(moduleUrl);
}
