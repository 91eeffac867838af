import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Device } from '../../../src/engine/device.js';
import { repositoryRoot } from '../../support/reference.js';
import { exportPython, lastLine } from '../python-environment.js';
import type { DeviceOptions } from './options.js';

const run = promisify(execFile);
const script = join(repositoryRoot, 'test/bench/device/make_model.py');

/** A prepared folder. */
export interface PreparedModel {
  /** Where results go. */
  readonly folder: string;
  /** In the layout of diffusers, for torch. */
  readonly torch: string;
  /** For the server. */
  readonly exported: string;
}

/** Providers that take a graph apart at operators that ONNX lacks. */
const plainProviders: ReadonlySet<string> = new Set(['tensorrt', 'coreml']);

/**
 * Makes the model, or returns one that was made earlier. Processors compute in single precision, other devices in half.
 * @returns its folder, or why there is none.
 */
export async function prepareModel(
  { size, folder: place }: Pick<DeviceOptions, 'size' | 'folder'>,
  { provider }: Device,
): Promise<PreparedModel | { readonly missing: string }> {
  const precision = provider === 'cpu' ? 'single' : 'half';
  const attention = plainProviders.has(provider) ? 'plain' : 'fused';
  const version = createHash('sha256')
    .update(await readFile(script))
    .digest('hex')
    .slice(0, 12);
  const within = place ?? join(repositoryRoot, 'node_modules/.cache/millrace/device-bench');
  const folder = join(within, `${size}-${precision}-${attention}-${version}`);
  const model = { folder, torch: join(folder, 'torch'), exported: join(folder, 'model') };
  if (existsSync(model.torch) && existsSync(model.exported)) return model;
  const python = await exportPython();
  if ('missing' in python) return python;
  console.log(`Making a model with random weights in ${folder}, once: with --size full some minutes…`);
  try {
    await mkdir(folder, { recursive: true });
    const args = [script, size, precision, attention, folder];
    await run(python.program, args, { maxBuffer: 2 ** 26 });
    return model;
  } catch (error) {
    return { missing: `the model cannot be made: ${lastLine(error)}` };
  }
}
