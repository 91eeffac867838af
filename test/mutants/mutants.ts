import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { join } from 'node:path';
import { possibleEdits, type Edit } from './edits.js';
import { mutators } from './mutators.js';

/** A module with one fault in it. */
export interface Mutant extends Edit {
  /** The built module, and the source that it was built from, relative to the repository. */
  readonly module: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** That line of the source. */
  readonly source: string;
}

/** Returns all mutants of a built module. @param module its path relative to `root`. */
export function mutantsOf(root: string, module: string): readonly Mutant[] {
  const text = readFileSync(join(root, module), 'utf8');
  const map = new SourceMap(
    JSON.parse(readFileSync(join(root, `${module}.map`), 'utf8')) as SourceMapPayload,
  );
  const file = sourceOf(module);
  const sources = readFileSync(join(root, file), 'utf8').split('\n');
  return possibleEdits(text, mutators).map((edit) => {
    const before = text.slice(0, edit.start).split('\n');
    const entry = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0);
    const line = 'originalLine' in entry ? entry.originalLine : 0;
    return Object.assign({}, edit, { module, file, line: line + 1, source: sources[line].trim() });
  });
}

/**
 * Returns a sample that depends only on the seed, and as little as possible on other mutants; in the order of the draw,
 * so that the first ones are a sample too.
 */
export function sample(mutants: readonly Mutant[], count: number, seed: string): readonly Mutant[] {
  return mutants
    .map((mutant) => ({ mutant, draw: draw(mutant, seed) }))
    .sort((a, b) => (a.draw < b.draw ? -1 : 1))
    .slice(0, count)
    .map(({ mutant }) => mutant);
}

function draw({ file, start, end, replacement }: Mutant, seed: string): string {
  return createHash('sha256')
    .update(JSON.stringify([seed, file, start, end, replacement]))
    .digest('hex');
}

function sourceOf(module: string): string {
  return module
    .replace(/^dist\/src\//, 'src/')
    .replace(/^protocol\/dist\//, 'protocol/src/')
    .replace(/\.js$/, '.ts');
}
