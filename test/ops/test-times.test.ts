import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { after, describe, it } from 'node:test';
import { repositoryRoot } from '../support/reference.js';

const script = pathToFileURL(join(repositoryRoot, 'ops/scripts/test-times.mjs')).href;
const { timesTable } = (await import(script)) as {
  readonly timesTable: (timesFile: string) => readonly string[];
};
const folder = await mkdtemp(join(tmpdir(), 'millrace-times-'));
after(() => rm(folder, { recursive: true }));

describe('the times of tests', () => {
  it('are those of each file of a group, and the rest of its process is that of the last', async () => {
    const times = join(folder, 'times.txt');
    const group = join(folder, 'group.test.js');
    const busy = 'for (const begin = process.cpuUsage().user; process.cpuUsage().user < begin + 1e5; );';
    await writeFile(
      group,
      `import { fileEnded } from ${JSON.stringify(script)}; fileEnded('a'); ${busy} fileEnded('b'); ${busy}`,
    );
    const { stderr } = spawnSync(process.execPath, ['--import', script, group], {
      env: { ...process.env, MILLRACE_TEST_TIMES: times },
      encoding: 'utf8',
    });
    assert.equal(stderr, '');
    const lines = (await readFile(times, 'utf8')).trim().split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(' ')[1]),
      ['a', 'b', 'b'],
    );
    const own = lines.slice(1).map((line) => Number(line.split(' ')[0]));
    assert.ok(own.every((seconds) => seconds >= 0.05));
  });

  it('are added up for each folder and file', async () => {
    const times = join(folder, 'all.txt');
    const lines = [
      '1.50 dist/test/engine/host/a.test.js',
      '0.25 dist/test/engine/b.test.js',
      '2.00 dist/test/c.js',
    ];
    await writeFile(times, [...lines, '0.50 dist/test/engine/b.test.js', ''].join('\n'));
    assert.deepEqual(timesTable(times), [
      'Seconds of processor time:',
      '     4.3  all',
      '     2.3  dist/test/engine',
      '     2.0  dist/test',
      'Slowest files:',
      '     2.0  dist/test/c.js',
      '     1.5  dist/test/engine/host/a.test.js',
      '     0.8  dist/test/engine/b.test.js',
    ]);
  });

  it('are none if no test has ended', () => {
    assert.deepEqual(timesTable(join(folder, 'none.txt')), []);
  });
});
