import { readFile } from 'node:fs/promises';
import { replaceFile } from '../../../src/cli/tune/replace-file.js';

/** The file of a run. */
interface RunFile {
  /** What the run is about: one with other facts is not continued. */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly isComplete: boolean;
  readonly results: Readonly<Record<string, unknown>>;
}

/** Measurements of one kind. */
export interface Series<Item, Tool extends AsyncDisposable, Result> {
  /** By their names in the file. */
  readonly items: ReadonlyMap<string, Item>;
  /** Opens what they need; it is closed after them, so that the next have the machine for themselves. */
  readonly open: () => Promise<Tool>;
  readonly measure: (tool: Tool, item: Item) => Promise<Result>;
}

/**
 * The results of a run, written to a file after each measurement: a run that was cut is continued by the next one, which
 * measures only what is missing.
 */
export class Progress {
  readonly #file: string;
  readonly #facts: RunFile['facts'];
  readonly #end: number;
  readonly #results: Record<string, unknown>;
  /** How many results are of earlier runs. */
  readonly kept: number;
  #left = 0;

  private constructor(file: string, { facts, results }: Omit<RunFile, 'isComplete'>, end: number) {
    this.#file = file;
    this.#facts = facts;
    this.#results = { ...results };
    this.kept = Object.keys(results).length;
    this.#end = end;
  }

  /**
   * Continues the run in a file if it was cut, and begins a new one otherwise.
   * @param minutes in which measurements may begin.
   * @param isFresh whether to begin a new one in any case.
   */
  static async open(
    file: string,
    facts: RunFile['facts'],
    { minutes, isFresh }: { readonly minutes: number; readonly isFresh: boolean },
  ): Promise<Progress> {
    const before = isFresh ? null : await readRun(file);
    const isSame = before !== null && JSON.stringify(before.facts) === JSON.stringify(facts);
    const results = isSame && !before.isComplete ? before.results : {};
    return new Progress(file, { facts, results }, performance.now() + minutes * 60_000);
  }

  /** How many measurements could not begin in time. */
  get left(): number {
    return this.#left;
  }

  /** Makes those of some measurements whose results are unknown. @returns the results, in order; null if it was too late. */
  async measure<Item, Tool extends AsyncDisposable, Result>({
    items,
    open,
    measure,
  }: Series<Item, Tool, Result>): Promise<readonly (Result | null)[]> {
    const missing = [...items].filter(([name]) => !Object.hasOwn(this.#results, name));
    if (missing.length > 0 && this.#hasTime) {
      await using tool = await open();
      for (const [name, item] of missing) {
        if (!this.#hasTime) break;
        this.#results[name] = await measure(tool, item);
        await this.#write(false);
      }
    }
    const results = [...items.keys()].map((name) => (this.#results[name] as Result | undefined) ?? null);
    this.#left += results.filter((result) => result === null).length;
    return results;
  }

  /** Writes that all was measured, if it was. */
  async finish(): Promise<void> {
    await this.#write(this.#left === 0);
  }

  get #hasTime(): boolean {
    return performance.now() < this.#end;
  }

  async #write(isComplete: boolean): Promise<void> {
    const run: RunFile = { facts: this.#facts, isComplete, results: this.#results };
    await replaceFile(this.#file, `${JSON.stringify(run, null, 2)}\n`);
  }
}

/** @returns null if there is none, or none that can be read. */
async function readRun(file: string): Promise<RunFile | null> {
  try {
    const { facts, isComplete, results } = JSON.parse(await readFile(file, 'utf8')) as Partial<RunFile>;
    if (facts === undefined || isComplete === undefined || results === undefined) return null;
    return { facts, isComplete, results };
  } catch {
    return null;
  }
}
