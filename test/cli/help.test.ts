import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgram } from '../../src/cli/program.js';
import { flagOf } from '../../src/settings/setting.js';
import { settingsTable } from '../../src/settings/settings-table.js';
import { startMillrace } from '../support/command.js';

async function help(...names: readonly string[]): Promise<string> {
  if (names.length === 0) return (await startMillrace(['--help']).ended).stdout;
  let command = await createProgram(names[0]);
  for (const name of names) {
    const found = command.commands.find((child) => child.name() === name);
    assert.ok(found, name);
    command = found;
  }
  let text = '';
  // As in a terminal of 80 columns, or a pipe.
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 80 }).outputHelp();
  return text;
}

for (const command of [
  '',
  'serve',
  'run',
  'styles',
  'tune',
  'invert',
  'pull',
  'doctor',
  'token',
  'bench',
  'bench load',
]) {
  test(`millrace ${command} --help fits in 80 columns`, async () => {
    const lines = (await help(...command.split(' ').filter(Boolean))).split('\n');
    assert.ok(lines.length > 5);
    for (const line of lines) assert.ok(line.length <= 80, line);
  });
}

test('the help of serve names every setting once, each under a heading', async () => {
  const [, ...sections] = (await help('serve')).split(/\n\n(?=[A-Z].*:\n)/);
  const flags = sections.join('\n').match(/^ {2}--[\w-]+/gm) ?? [];
  const settings = Object.keys(settingsTable).map((name) => `  ${flagOf(name)}`);
  assert.deepEqual(flags.toSorted(), [...settings, '  --config'].toSorted());
});

test('a wrong option prints one line and where to find help', async () => {
  const { stderr } = await startMillrace(['run', '--colour', 'red']).ended;
  assert.match(stderr, /^error: .*\n\(see millrace run --help\)\n$/);
});
