import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Knows which tests import which modules, directly or through others. */
export class TestGraph {
  readonly #imports = new Map<string, readonly string[]>();
  readonly #distances: ReadonlyMap<string, ReadonlyMap<string, number>>;

  /** @param tests built test files, relative to `root`. */
  constructor(root: string, tests: readonly string[]) {
    this.#distances = new Map(tests.map((test) => [test, this.#reach(root, test)]));
  }

  /** Returns the tests that import a module, in groups: those the fewest imports away first. */
  testsOf(module: string): readonly (readonly string[])[] {
    const groups: string[][] = [];
    for (const [test, distances] of this.#distances) {
      const distance = distances.get(module);
      if (distance !== undefined) (groups[distance] ??= []).push(test);
    }
    return groups.filter((group) => group.length > 0);
  }

  /** Returns a test and all that it imports. */
  closureOf(test: string): readonly string[] {
    return [...(this.#distances.get(test)?.keys() ?? [])];
  }

  #reach(root: string, test: string): ReadonlyMap<string, number> {
    const distances = new Map([[test, 0]]);
    for (const [module, distance] of distances) {
      for (const imported of this.#importsOf(root, module)) {
        if (!distances.has(imported)) distances.set(imported, distance + 1);
      }
    }
    return distances;
  }

  #importsOf(root: string, module: string): readonly string[] {
    const known = this.#imports.get(module);
    if (known !== undefined) return known;
    const text = readFileSync(join(root, module), 'utf8');
    const imports = specifiers(text)
      .map((specifier) => resolve(module, specifier))
      .filter((path) => existsSync(join(root, path)));
    this.#imports.set(module, imports);
    return imports;
  }
}

/** Returns what a module imports or starts as a thread: every text in it that looks like a module path. */
function specifiers(text: string): readonly string[] {
  return [...text.matchAll(/'([^'\s]+\.js|@millrace\/[a-z]+)'/g)].map(([, specifier = '']) => specifier);
}

function resolve(module: string, specifier: string): string {
  if (specifier === '@millrace/protocol') return 'protocol/dist/index.js';
  if (specifier === '@millrace/client') return 'clients/js/dist/index.js';
  return posix.join(posix.dirname(module), specifier);
}
