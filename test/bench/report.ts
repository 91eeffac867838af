import { availableParallelism, cpus } from 'node:os';

/** One figure of a benchmark. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The target value, as text. */
  readonly goal?: string;
}

/** Prints the figures as a table and as one line of JSON. */
export function report(benchmark: string, figures: readonly Figure[]): void {
  const rows = figures.map(({ what, value, unit, goal }) => [
    what,
    `${format(value)} ${unit}`.trim(),
    goal ?? '',
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`;
  console.log(`\n${benchmark} (${machine})`);
  for (const [what, value, goal] of rows) {
    console.log(`  ${what.padEnd(widths[0])}  ${value.padStart(widths[1])}${goal ? `  goal: ${goal}` : ''}`);
  }
  console.log(JSON.stringify({ benchmark, machine, figures }));
}

function format(value: number): string {
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);
}

/** Returns the value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
