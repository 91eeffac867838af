import type { Mutant } from './mutants.js';

/** A mutant that no test can notice, since it does what the code does. */
export interface Equivalent {
  readonly file: string;
  /** The line of the source, without its indentation. */
  readonly source: string;
  /** As in the report: `a < b -> a <= b`. Without it, all mutants of the line. */
  readonly change?: string;
  readonly reason: string;
}

export const equivalents: readonly Equivalent[] = [];

export function changeOf({ before, after }: Mutant): string {
  return `${before} -> ${after}`;
}

export function matches(equivalent: Equivalent, mutant: Mutant): boolean {
  const { file, source, change = changeOf(mutant) } = equivalent;
  return file === mutant.file && source === mutant.source && change === changeOf(mutant);
}
