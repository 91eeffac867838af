import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** A range of offsets into the text of a module, without its end. */
type Part = readonly [start: number, end: number];

/** The parts of each module that all threads and processes of a test ran. */
export type Coverage = Readonly<Record<string, readonly Part[]>>;

/** The coverage format of V8. Of the ranges around an offset the innermost counts; it comes last. */
interface CoverageFile {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly {
        readonly startOffset: number;
        readonly endOffset: number;
        readonly count: number;
      }[];
    }[];
  }[];
}

/**
 * Reads which parts of modules were run.
 * @param folder that NODE_V8_COVERAGE named.
 * @param modules to read, relative to `root`.
 */
export function readCoverage(folder: string, root: string, modules: ReadonlySet<string>): Coverage {
  const base = pathToFileURL(`${root}/`).href;
  const ran = new Map<string, Uint8Array>();
  for (const name of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CoverageFile;
    for (const { url, functions } of result) {
      const module = url.startsWith(base) ? url.slice(base.length) : '';
      if (!modules.has(module)) continue;
      const inThread = new Uint8Array(Math.max(...functions.map(({ ranges }) => ranges[0].endOffset)));
      const ranges = functions.flatMap((one) => one.ranges);
      ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
      for (const { startOffset, endOffset, count } of ranges) {
        inThread.fill(count > 0 ? 1 : 0, startOffset, endOffset);
      }
      const inOthers = ran.get(module);
      ran.set(module, inOthers === undefined ? inThread : inThread.map((value, at) => value | inOthers[at]));
    }
  }
  return Object.fromEntries([...ran].map(([module, bytes]) => [module, partsOf(bytes)]));
}

/** Returns whether the code at an offset into the module ran. */
export function hasRun(coverage: Coverage, module: string, offset: number): boolean {
  return (coverage[module] ?? []).some(([start, end]) => start <= offset && offset < end);
}

function partsOf(bytes: Uint8Array): readonly Part[] {
  const parts: Part[] = [];
  for (let start = bytes.indexOf(1); start >= 0;) {
    const zero = bytes.indexOf(0, start);
    const end = zero < 0 ? bytes.length : zero;
    parts.push([start, end]);
    start = bytes.indexOf(1, end);
  }
  return parts;
}
