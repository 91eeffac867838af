import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { deviceName, type Device } from '../device.js';

/** What a measurement depends on. */
export interface Measured {
  /** The network that was measured. */
  readonly file: string;
  /** [channels, height, width] of the latents. */
  readonly shape: readonly number[];
  readonly device: Device;
  readonly threads: number;
}

/**
 * A file that keeps what was measured of a network from one start to the next; its name tells model, size, device,
 * processor, thread count and Node version. What cannot be read or written is measured again, and is no error.
 */
export class CalibrationFile<Value> {
  readonly #path: string;
  readonly #isValue: (value: unknown) => value is Value;

  private constructor(path: string, isValue: (value: unknown) => value is Value) {
    this.#path = path;
    this.#isValue = isValue;
  }

  /** @param kind what is measured. @param isValue whether what was read is that. */
  static async for<Value>(
    directory: string,
    kind: string,
    { file, shape, device, threads }: Measured,
    isValue: (value: unknown) => value is Value,
  ): Promise<CalibrationFile<Value>> {
    const { size, mtimeMs } = await stat(file);
    const machine = [deviceName(device), await gpuModels(), cpus()[0]?.model, cpus().length, process.version];
    const facts = [file, size, mtimeMs, shape, threads, ...machine];
    const name = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
    return new CalibrationFile(join(directory, `${kind}-${name}.json`), isValue);
  }

  async read(): Promise<Value | null> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      return this.#isValue(value) ? value : null;
    } catch {
      return null;
    }
  }

  async write(value: Value): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(this.#path, JSON.stringify(value));
    } catch {
      // The next start measures again.
    }
  }
}

/** What the NVIDIA driver on Linux says of its GPUs; others are not told apart. */
async function gpuModels(): Promise<readonly string[]> {
  const folder = '/proc/driver/nvidia/gpus';
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    names.map((name) => readFile(join(folder, name, 'information'), 'utf8').catch(() => '')),
  );
  return texts.map((text) => /^Model:\s*(.*)$/m.exec(text)?.[1] ?? '');
}
