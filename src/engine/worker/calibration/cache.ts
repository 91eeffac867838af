import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { deviceName, type Device } from '../../device.js';

/** What a measurement depends on. */
export interface Measured {
  /** The network that was measured. */
  readonly file: string;
  /** [channels, height, width] of the latents. */
  readonly shape: readonly number[];
  readonly device: Device;
  readonly threads: number;
}

/** Where measurements are kept. */
export interface CalibrationPlace {
  readonly directory: string;
  /** Gets a note when nothing can be read or written there; it may get the same note again. */
  readonly onNote: (text: string) => void;
}

/** The fields of what was read from a file, of which nothing is known; none of what is not an object. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return Object(value) as Readonly<Record<string, unknown>>;
}

/** The code of an error of the system, such as `ENOENT`; null if it is another. */
function codeOf(error: unknown): string | null {
  const { code } = fieldsOf(error);
  return typeof code === 'string' ? code : null;
}

/**
 * A file that keeps what was measured of a network from one start to the next; its name tells model, size, device,
 * processor, thread count and Node version. What cannot be read or written is measured again at each start, which is
 * no error, but noted.
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

  /** @param kind what is measured. @param isValue whether what was read has the right form. */
  static async for<Value>(
    { directory, onNote }: CalibrationPlace,
    kind: string,
    { file, shape, device, threads }: Measured,
    isValue: (value: unknown) => value is Value,
  ): Promise<CalibrationFile<Value>> {
    const { size, mtimeMs } = await stat(file);
    const machine = [deviceName(device), await gpuModels(), cpus()[0]?.model, cpus().length, process.version];
    const facts = [file, size, mtimeMs, shape, threads, ...machine];
    const name = createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
    return new CalibrationFile(join(directory, `${kind}-${name}.json`), onNote, isValue);
  }

  async read(): Promise<Value | null> {
    try {
      const value: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      return this.#isValue(value) ? value : null;
    } catch (error) {
      // What cannot be parsed has no code.
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
      `measurements cannot be kept in ${dirname(this.#path)} (${reason}), so each start measures again; ` +
        'let the server write to that folder, or choose another with --cache-directory',
    );
  }
}

/** What the NVIDIA driver on Linux says of its GPUs; others are not told apart. */
export async function gpuModels(folder = '/proc/driver/nvidia/gpus'): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    names.map((name) => readFile(join(folder, name, 'information'), 'utf8').catch(() => '')),
  );
  return texts.map((text) => /^Model:\s*(.*)$/m.exec(text)?.[1] ?? '');
}
