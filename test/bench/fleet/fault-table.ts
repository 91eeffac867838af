import type { Outcome } from '../../fleet/scenarios.js';
import { report } from '../report.js';

const headings = [
  'fault',
  'streams that moved',
  'started over',
  'ended',
  'frames lost',
  'longest gap',
  'while moving',
  'of streams that stayed',
  'style and seed kept',
];

/** What users saw of each fault: printed when it has been seen, and at the end as a Markdown table. */
export class FaultTable {
  readonly #rows: string[][] = [];

  /** @param goalMs longest gap that is allowed. */
  add(what: string, outcome: Outcome, goalMs?: number): void {
    const { viewers, moved, restarted, ended, lostFrames, underWay, unchanged } = outcome;
    const { longestGapMs, longestMoveMs, longestGapOfOthersMs, movedWithinMs } = outcome;
    report(`fleet-faults: ${what}`, [
      { what: 'streams that moved', value: moved, unit: `of ${viewers}` },
      { what: 'until the last one had moved', value: movedWithinMs, unit: 'ms' },
      { what: 'streams that started over', value: restarted, unit: '' },
      { what: 'streams that ended', value: ended, unit: '', goal: '0' },
      { what: 'users with their style and seed', value: unchanged, unit: `of ${viewers}`, goal: 'all' },
      {
        what: 'frames lost',
        value: lostFrames,
        unit: `(${underWay} under way at the fault)`,
        goal: 'only those under way on a dead server',
      },
      {
        what: 'longest gap',
        value: longestGapMs,
        unit: 'ms',
        ...(goalMs !== undefined && { goal: `under ${goalMs} ms` }),
      },
      { what: 'longest gap in which a stream moved', value: longestMoveMs, unit: 'ms' },
      { what: 'longest gap of streams that did not move', value: longestGapOfOthersMs, unit: 'ms' },
    ]);
    const ms = (value: number, isThere = true): string => (isThere ? `${Math.round(value)} ms` : '');
    this.#rows.push([
      what,
      `${moved} of ${viewers}`,
      `${restarted}`,
      `${ended}`,
      `${lostFrames}`,
      ms(longestGapMs),
      ms(longestMoveMs, moved > 0),
      ms(longestGapOfOthersMs, moved < viewers),
      `${unchanged} of ${viewers}`,
    ]);
  }

  print(): void {
    const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
    const rule = headings.map(() => '---');
    console.log(`\n${[headings, rule, ...this.#rows].map(line).join('\n')}`);
  }
}
