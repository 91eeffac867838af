import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { flagOf } from '../../src/settings/setting.js';
import { settingsTable } from '../../src/settings/settings-table.js';
import { repositoryRoot } from '../support/reference.js';

const main = join(repositoryRoot, 'dist/src/cli/main.js');

async function help(...command: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, ...command, '--help']);
  return stdout;
}

for (const command of [
  '',
  'serve',
  'run',
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
  const failure = await promisify(execFile)(process.execPath, [main, 'run', '--colour', 'red']).catch(
    (error: unknown) => error,
  );
  assert.ok(failure instanceof Error && 'stderr' in failure);
  assert.match(String(failure.stderr), /^error: .*\n\(see millrace run --help\)\n$/);
});
