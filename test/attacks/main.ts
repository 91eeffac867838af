// npm run test:attacks -- [--seconds N] [--list] [WORD...]: attacks whose names contain a word; all by default.
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { CaseReport } from './harness/observe.js';
import { runCase } from './harness/run-case.js';
import { renderTable } from './harness/table.js';
import { suite } from './suite.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '10' }, list: { type: 'boolean', default: false } },
});
const seconds = Number(values.seconds);
const wanted = suite.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
const say = (text: string): void => void process.stdout.write(`${text}\n`);

if (values.list) {
  for (const { name, what } of wanted) say(`${name}: ${what}`);
} else if (process.platform !== 'linux') {
  say('The attacks need Linux, for its loopback addresses and memory statistics.');
  process.exitCode = 2;
} else if (wanted.length === 0 || !(seconds > 0)) {
  say('No attack has such a name; list them with npm run test:attacks -- --list');
  process.exitCode = 2;
} else {
  const reports: CaseReport[] = [];
  for (const attackCase of wanted) {
    say(`${attackCase.name}: ${attackCase.what}`);
    reports.push(await runCase(attackCase, seconds));
  }
  say(`\n${renderTable(reports)}`);
  say(JSON.stringify({ seconds, reports }));
  process.exitCode = reports.every(({ broken }) => broken.length === 0) ? 0 : 1;
}
