import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A part of a script and how often it ran; the innermost part around an offset counts. */
interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface CoverageFile {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly Range[] }[];
  }[];
}

/** What was run of each module, by all threads and processes of a test. */
export class Coverage {
  /** By module: the ranges in each thread that loaded it. */
  readonly #threads = new Map<string, (readonly Range[])[]>();

  /**
   * @param folder that NODE_V8_COVERAGE named.
   * @param modules that are of interest, relative to `root`.
   */
  constructor(folder: string, root: string, modules: ReadonlySet<string>) {
    const base = pathToFileURL(`${root}/`).href;
    for (const name of readdirSync(folder)) {
      const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CoverageFile;
      for (const { url, functions } of result) {
        const module = url.startsWith(base) ? url.slice(base.length) : '';
        if (!modules.has(module)) continue;
        const threads = this.#threads.get(module) ?? [];
        threads.push(functions.flatMap(({ ranges }) => ranges));
        this.#threads.set(module, threads);
      }
    }
  }

  /** Whether the code at an offset into the module ran. */
  ran(module: string, offset: number): boolean {
    return (this.#threads.get(module) ?? []).some((ranges) => {
      let innermost: Range | undefined;
      for (const range of ranges) {
        if (range.startOffset > offset || range.endOffset <= offset) continue;
        if (innermost === undefined || length(range) <= length(innermost)) innermost = range;
      }
      return innermost !== undefined && innermost.count > 0;
    });
  }
}

function length({ startOffset, endOffset }: Range): number {
  return endOffset - startOffset;
}
