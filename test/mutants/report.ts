import { changeOf, type Equivalent } from './equivalents.js';
import type { Mutant } from './mutants.js';
import type { Trial, Verdict } from './trials.js';

/** The share of the mutants that the tests must notice. */
const goal = 0.9;

export interface Report {
  readonly seed: string;
  /** The number of all mutants. */
  readonly possible: number;
  readonly trials: readonly Trial[];
  /** Mutants of the sample that were not tested because no test can notice them. */
  readonly equivalent: readonly { readonly mutant: Mutant; readonly reason: string }[];
  /** Entries of the list that no longer match a mutant. */
  readonly stale: readonly Equivalent[];
  /** Test files that fail without a mutant. */
  readonly failing: readonly string[];
}

function count(report: Report, verdict: Verdict): number {
  return report.trials.filter((trial) => trial.verdict === verdict).length;
}

/** Returns the share of noticed mutants among those that can be noticed; one that hangs counts as noticed. */
function score(report: Report): number {
  return report.trials.length === 0 ? 1 : 1 - count(report, 'survived') / report.trials.length;
}

export function isGoodEnough(report: Report): boolean {
  return score(report) >= goal && report.failing.length === 0;
}

/** Formats the report for people. */
export function formatReport(report: Report): string {
  const { seed, possible, equivalent, stale, failing } = report;
  const trials = report.trials.toSorted((a, b) => compare(a.mutant, b.mutant));
  const survivors = trials.filter(({ verdict }) => verdict === 'survived');
  const areas = [...new Set(trials.map(({ mutant }) => area(mutant)))];
  const rows = areas.map((name) => {
    const own = { ...report, trials: trials.filter(({ mutant }) => area(mutant) === name) };
    return [
      name,
      String(own.trials.length),
      String(count(own, 'noticed')),
      String(count(own, 'timed out')),
      String(count(own, 'survived')),
      percent(score(own)),
    ];
  });
  const total = [
    'all',
    String(trials.length),
    String(count(report, 'noticed')),
    String(count(report, 'timed out')),
    String(count(report, 'survived')),
    percent(score(report)),
  ];
  return [
    ...section(
      'Survived',
      survivors.map(({ mutant }) => describe(mutant)),
    ),
    ...section(
      'Equivalent',
      equivalent.map(({ mutant, reason }) => `${describe(mutant)}\n    ${reason}`),
    ),
    ...section(
      'In the list of equivalents, but not a mutant',
      stale.map(({ file, source }) => `${file}: ${source}`),
    ),
    ...section('Fail without a mutant, so nothing counts', failing),
    table([['', 'mutants', 'noticed', 'timed out', 'survived', 'score'], ...rows, total]),
    `Seed ${seed}, ${trials.length + equivalent.length} of ${possible} mutants; at least ${percent(goal)} must be noticed.`,
  ].join('\n');
}

/** Formats the report for programs. */
export function reportJson(report: Report): string {
  const flat = (mutant: Mutant, outcome: object): object => {
    const { file, line, source } = mutant;
    return { file, line, source, change: changeOf(mutant), ...outcome };
  };
  const { seed, possible, trials, equivalent, stale, failing } = report;
  const mutants = [
    ...trials.map(({ mutant, verdict, tests }) => flat(mutant, { verdict, tests })),
    ...equivalent.map(({ mutant, reason }) => flat(mutant, { verdict: 'equivalent', reason })),
  ];
  return `${JSON.stringify({ seed, possible, score: score(report), goal, mutants, stale, failing }, null, 2)}\n`;
}

export function describe(mutant: Mutant): string {
  return `${mutant.file}:${mutant.line}  ${changeOf(mutant)}`;
}

function compare(a: Mutant, b: Mutant): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line;
}

function area({ file }: Mutant): string {
  return file.startsWith('protocol/') ? 'protocol' : file.split('/').slice(0, 2).join('/');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`), ''];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
    )
    .join('\n');
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
