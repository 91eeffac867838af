import { mib, ms, percent } from './judge.js';
import type { CaseReport } from './observe.js';

const columns: readonly (readonly [string, (report: CaseReport) => string])[] = [
  ['attack', ({ name }) => name],
  ['fps of share', ({ attacked, share }) => `${rate(attacked.results / attacked.seconds)} of ${rate(share)}`],
  ['part', ({ part }) => percent(part)],
  ['gap s', ({ attacked }) => rate(attacked.gap)],
  ['memory', ({ memory }) => `${mib(memory.quiet)} to ${mib(memory.peak)}`],
  ['lag p99, max', ({ lag }) => `${ms(lag.attacked.p99)}, ${ms(lag.attacked.max)}`],
  ['verdict', ({ broken }) => (broken.length === 0 ? 'holds' : 'BROKEN')],
];

/** Returns a header and a line for each case, with broken limits and counts below each line. */
export function renderTable(reports: readonly CaseReport[]): string {
  const rows = [
    columns.map(([title]) => title),
    ...reports.map((each) => columns.map(([, cell]) => cell(each))),
  ];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  const [head = '', ...rest] = lines;
  const below = rest.flatMap((line, i) => [line].concat(notesOf(reports[i])));
  return [head, ...below].map((line) => line.trimEnd()).join('\n');
}

function notesOf(report: CaseReport | undefined): string[] {
  if (!report) return [];
  const { broken, counts, told, tally, quiet, left } = report;
  const notes = [
    ['broken', broken.join('; ')],
    ['alone', quiet.broken.join('; ')],
    ['server', list(counts)],
    ['attackers', list(tally)],
    ['bystander', list(told)],
    ['processor', left < 0.95 ? `${percent(left)} of what it had in the quiet seconds` : ''],
  ] as const;
  return notes.filter(([, text]) => text !== '').map(([title, text]) => `    ${title}: ${text}`);
}

const list = (tally: Readonly<Record<string, number>>): string =>
  Object.entries(tally)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');

const rate = (value: number): string => value.toFixed(1);
