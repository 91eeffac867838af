import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { deviceName, type Device } from '../../device.js';

/** The facts that a measurement depends on. */
export interface MeasurementFacts {
  /** The network that was measured. */
  readonly file: string;
  /** [channels, height, width] of the latents. */
  readonly shape: readonly number[];
  readonly device: Device;
  readonly threads: number;
}

/** A measurement of an earlier start. */
interface Kept<Value> {
  readonly value: Value;
  readonly savedAt: Date;
}

/** Where measurements are saved. */
export interface CalibrationPlace {
  readonly directory: string;
  /** Receives a note if the folder cannot be read or written; the same note may be repeated. */
  readonly onNote: (text: string) => void;
}

/** Returns the fields of an unknown value; none if it is not an object. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return Object(value) as Readonly<Record<string, unknown>>;
}

/** Returns the code of a system error, such as `ENOENT`; null for other errors. */
function codeOf(error: unknown): string | null {
  const { code } = fieldsOf(error);
  return typeof code === 'string' ? code : null;
}

/**
 * A file that saves measurements of a network for later starts. Its name is a hash of model, size, device, CPU, thread
 * count and Node version. A file that cannot be read or written is noted, not an error: each start then measures again.
 */
export class CalibrationFile<Value> {
  readonly #path: string;
  readonly #onNote: (text: string) => void;
  readonly #isValue: (value: unknown) => value is Value;

  private constructor(
    path: string,
    onNote: (text: string) => void,
    isValue: (value: unknown) => value is Value,
  ) {
    this.#path = path;
    this.#onNote = onNote;
    this.#isValue = isValue;
  }

  /** @param kind of measurement, the prefix of the file name. @param isValue checks a value that was read. */
  static async for<Value>(
    { directory, onNote }: CalibrationPlace,
    kind: string,
    { file, shape, device, threads }: MeasurementFacts,
    isValue: (value: unknown) => value is Value,
  ): Promise<CalibrationFile<Value>> {
    const { size, mtimeMs } = await stat(file);
    const machine = [deviceName(device), await gpuModels(), cpus()[0]?.model, cpus().length, process.version];
    const facts = [file, size, mtimeMs, shape, threads, ...machine];
    const name = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
    return new CalibrationFile(join(directory, `${kind}-${name}.json`), onNote, isValue);
  }

  async read(): Promise<Kept<Value> | null> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      const { mtime: savedAt } = await stat(this.#path);
      return this.#isValue(value) ? { value, savedAt } : null;
    } catch (error) {
      // A parse error has no code.
      const code = codeOf(error);
      if (code !== null && code !== 'ENOENT') this.#complain(code);
      return null;
    }
  }

  async write(value: Value): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      await writeFile(this.#path, JSON.stringify(value));
    } catch (error) {
      this.#complain(codeOf(error) ?? String(error));
    }
  }

  #complain(reason: string): void {
    this.#onNote(
      `measurements cannot be saved in ${dirname(this.#path)} (${reason}), so each start measures again; ` +
        'let the server write to that folder, or choose another with --cache-directory',
    );
  }
}

/** Returns the GPU models by the NVIDIA driver on Linux; other GPUs are not distinguished. */
export async function gpuModels(folder = '/proc/driver/nvidia/gpus'): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    names.map((name) => readFile(join(folder, name, 'information'), 'utf8').catch(() => '')),
  );
  return texts.map((text) => /^Model:\s*(.*)$/m.exec(text)?.[1] ?? '');
}
