// npm test: all checks and all tests. npm test -- WORD...: only the tests whose paths contain a WORD, no checks.
// --only parity: only the tests that compare with the original implementation.
// --times: also how much processor time each folder and the slowest files took.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { check } from './check.mjs';
import { Failure, filesUnder, main, mustRun, root, say } from './lib.mjs';
import { prepare } from './prepare.mjs';
import { timesTable } from './test-times.mjs';

/** Files that take longest come first, so that none of them runs alone at the end. */
const longest = ['cli/run.', 'conformance/', 'video/', 'cli/', 'fleet/', 'e2e/', 'engine/', 'ops/'];

await main(async () => {
  const { values, positionals } = parseArgs({
    options: { only: { type: 'string' }, times: { type: 'boolean' } },
    allowPositionals: true,
  });
  const { only = '', times = false } = values;

  await prepare({ tests: true });
  const files = filesUnder(`dist/test/${only}`)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => !positionals.length || positionals.some((word) => file.includes(word)))
    .sort((a, b) => placeOf(a) - placeOf(b));
  if (!files.length) {
    say(`No test matches ${[only, ...positionals].join(' ').trim() || '**/*.test.js'}.`);
    throw new Failure();
  }
  // Tests share measurements of this run, but not those of an earlier one under another load.
  rmSync(join(root, 'dist/measured'), { recursive: true, force: true });
  const [tests, checks] = await Promise.allSettled([
    runTests(files, times),
    only || positionals.length ? undefined : check(),
  ]);
  if (checks.reason) say('Checks failed: see above the first tests.');
  const failure = tests.reason ?? checks.reason;
  if (failure) throw failure;
});

/** The place among all tests of a file: lower ones run earlier. */
function placeOf(file) {
  const place = longest.findIndex((beginning) => file.startsWith(join('dist/test', beginning)));
  return place < 0 ? longest.length : place;
}

async function runTests(files, times) {
  const imports = ['../../dist/test/support/properties.js', ...(times ? ['./test-times.mjs'] : [])];
  const flags = imports.flatMap((module) => ['--import', new URL(module, import.meta.url).href]);
  const timesFile = join(root, 'dist/test-times.txt');
  rmSync(timesFile, { force: true });
  const env = { ...process.env, ...(times && { MILLRACE_TEST_TIMES: timesFile }) };
  try {
    await mustRun(process.execPath, [...flags, 'ops/scripts/run-tests.mjs', ...files], { env });
  } finally {
    if (times) for (const line of timesTable(timesFile)) say(line);
  }
}
