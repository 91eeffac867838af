import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { TuningJob } from '../../engine/tuning.js';
import type { ModelFolder } from '../../model/folder.js';
import { replaceFile } from './replace-file.js';
import type { Measure } from './search.js';

interface MeasurementsFile {
  /** Of what was measured: other models, pictures or parameters start from nothing. */
  readonly subject: string;
  /** Errors by candidate and picture. */
  readonly errors: Readonly<Record<string, number | null>>;
}

const saveEveryMs = 2000;

/**
 * What was measured so far, kept in a file. A search makes the same choices each time, so one that was interrupted goes
 * on where it stopped as soon as it has passed what is known.
 */
export class Measurements implements AsyncDisposable {
  readonly #path: string;
  readonly #subject: string;
  readonly #errors: Map<string, number | null>;
  #savedAt = performance.now();
  #unsaved = 0;

  private constructor(path: string, subject: string, errors: Map<string, number | null>) {
    this.#path = path;
    this.#subject = subject;
    this.#errors = errors;
  }

  /** Opens the file; one about another subject, or that cannot be read, is replaced. */
  static async open(path: string, subject: string): Promise<Measurements> {
    const text = await readFile(path, 'utf8').catch(() => '');
    return new Measurements(path, subject, new Map(Object.entries(parse(text, subject))));
  }

  /** Number of measurements. */
  get size(): number {
    return this.#errors.size;
  }

  /** Returns a measure that asks only for what is not known. */
  remember(measure: Measure): Measure {
    return async (candidate, picture) => {
      const key = `${picture} ${JSON.stringify(candidate)}`;
      const known = this.#errors.get(key);
      if (known !== undefined) return known;
      const error = await measure(candidate, picture);
      this.#errors.set(key, error);
      this.#unsaved += 1;
      if (performance.now() - this.#savedAt > saveEveryMs) await this.#save();
      return error;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#save();
  }

  async #save(): Promise<void> {
    if (this.#unsaved === 0) return;
    this.#savedAt = performance.now();
    this.#unsaved = 0;
    const file: MeasurementsFile = { subject: this.#subject, errors: Object.fromEntries(this.#errors) };
    await replaceFile(this.#path, JSON.stringify(file));
  }
}

function parse(text: string, subject: string): MeasurementsFile['errors'] {
  try {
    const file = JSON.parse(text) as Partial<MeasurementsFile>;
    return file.subject === subject ? (file.errors ?? {}) : {};
  } catch {
    return {};
  }
}

/** Returns a name for all that errors depend on, besides the candidate. */
export async function subjectOf({ layout }: Pick<ModelFolder, 'layout'>, job: TuningJob): Promise<string> {
  const { file } = layout.unet.graph;
  // Another export may have taken its place.
  const { size, mtimeMs } = await stat(file);
  const prompts = job.pictures.map(({ prompt }) => prompt);
  const hash = createHash('sha256');
  hash.update(JSON.stringify([file, size, mtimeMs, job.parameters, job.reference, prompts]));
  for (const { pixels } of job.pictures) hash.update(pixels);
  return hash.digest('hex');
}
