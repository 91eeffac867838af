import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { findPython, noPython } from '../support/python.js';
import { repositoryRoot } from '../support/reference.js';

const run = promisify(execFile);

test('the tests of the Python client pass', async (t) => {
  const python = await findPython();
  if (python === undefined) {
    t.skip(noPython);
    return;
  }
  try {
    await run(python.program, ['-c', 'import pytest']);
  } catch {
    t.skip('pytest is not installed');
    return;
  }
  const cwd = join(repositoryRoot, 'clients/python');
  await run(python.program, ['-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider'], { cwd });
});
