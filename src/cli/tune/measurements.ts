import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { TuningJob } from '../../engine/tuning.js';
import type { ModelFolder } from '../../model/folder.js';
import { replaceFile } from './replace-file.js';

interface MeasurementsFile<Value> {
  /** Of what was measured: other models, pictures or parameters start from nothing. */
  readonly subject: string;
  readonly values: Readonly<Record<string, Value>>;
}

const saveEveryMs = 2000;

/**
 * What was measured so far, by names that say of what, kept in a file. A command asks for the same each time, so one that
 * was interrupted goes on where it stopped as soon as it has passed what is known.
 */
export class Measurements<Value> implements AsyncDisposable {
  readonly #path: string;
  readonly #subject: string;
  readonly #values: Map<string, Value>;
  #savedAt = performance.now();
  #unsaved = 0;

  private constructor(path: string, subject: string, values: Map<string, Value>) {
    this.#path = path;
    this.#subject = subject;
    this.#values = values;
  }

  /** Opens the file; one about another subject, or that cannot be read, is replaced. */
  static async open<Value>(path: string, subject: string): Promise<Measurements<Value>> {
    const text = await readFile(path, 'utf8').catch(() => '');
    return new Measurements<Value>(path, subject, new Map(Object.entries(parse<Value>(text, subject))));
  }

  /** Number of measurements. */
  get size(): number {
    return this.#values.size;
  }

  /** Returns what is known under a name, or else measures it. */
  async get(name: string, measure: () => Promise<Value>): Promise<Value> {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const value = await measure();
    this.#values.set(name, value);
    this.#unsaved += 1;
    if (performance.now() - this.#savedAt > saveEveryMs) await this.#save();
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#save();
  }

  async #save(): Promise<void> {
    if (this.#unsaved === 0) return;
    this.#savedAt = performance.now();
    this.#unsaved = 0;
    const file: MeasurementsFile<Value> = {
      subject: this.#subject,
      values: Object.fromEntries(this.#values),
    };
    await replaceFile(this.#path, JSON.stringify(file));
  }
}

function parse<Value>(text: string, subject: string): MeasurementsFile<Value>['values'] {
  try {
    const file = JSON.parse(text) as Partial<MeasurementsFile<Value>>;
    return file.subject === subject ? (file.values ?? {}) : {};
  } catch {
    return {};
  }
}

/** Returns a name for all that measurements depend on: a job, and further facts. */
export async function subjectOf(
  { layout, scheduler, promptGroups }: Pick<ModelFolder, 'layout' | 'scheduler' | 'promptGroups'>,
  job: TuningJob,
  ...facts: readonly number[]
): Promise<string> {
  const { file } = layout.unet.graph;
  // Another export may have taken its place.
  const { size, mtimeMs } = await stat(file);
  const prompts = job.pictures.map(({ prompt }) => prompt);
  const hash = createHash('sha256');
  const { parameters, reference } = job;
  hash.update(
    JSON.stringify([file, size, mtimeMs, scheduler, promptGroups, parameters, reference, prompts, ...facts]),
  );
  for (const { pixels } of job.pictures) hash.update(pixels);
  return hash.digest('hex');
}
