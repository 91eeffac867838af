// npm test: all checks and all tests. npm test -- WORD...: only the tests whose paths contain a WORD, no checks.
// --only parity: only the tests that compare with the original implementation.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { check } from './check.mjs';
import { Failure, filesUnder, main, run, say } from './lib.mjs';
import { prepare } from './prepare.mjs';

await main(async () => {
  const { values, positionals } = parseArgs({
    options: { only: { type: 'string' } },
    allowPositionals: true,
  });
  const { only = '' } = values;

  await prepare({ tests: true });
  if (!only && !positionals.length) await check();
  const files = filesUnder(`dist/test/${only}`)
    .filter((file) => file.endsWith('.test.js'))
    .filter((file) => !positionals.length || positionals.some((word) => file.includes(word)));
  if (!files.length) {
    say(`No test matches ${[only, ...positionals].join(' ').trim() || '**/*.test.js'}.`);
    throw new Failure();
  }
  const seedImport = ['--import', new URL('../../dist/test/support/properties.js', import.meta.url).href];
  const args = [...seedImport, '--test', '--test-reporter=spec', '--test-concurrency=2', ...files];
  const { code } = await run(process.execPath, args);
  if (code !== 0) throw new Failure(code);
});
