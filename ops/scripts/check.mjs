// Types, lint, format, dead code, generated documents, licences and known vulnerabilities. Types are checked by building.
import { join } from 'node:path';
import process from 'node:process';
import { Failure, isStarted, main, root, run, say, tool } from './lib.mjs';
import { prepare } from './prepare.mjs';

const checks = {
  lint: [tool('oxlint/bin/oxlint')],
  format: [tool('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
  'dead code': [tool('knip/bin/knip.js'), '--no-progress'],
  documents: [join(root, 'ops/scripts/docs.mjs'), '--check'],
  licences: [join(root, 'ops/scripts/licences.mjs')],
  audit: [join(root, 'ops/scripts/audit.mjs')],
};

/** Runs all checks at once and prints the output of failed ones. */
export async function check() {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, command]) => {
      const { code, output } = await run(process.execPath, command, { quiet: true });
      return { name, failed: code !== 0, skipped: output.startsWith('skipped:'), output };
    }),
  );
  for (const { name, failed, output } of results) if (failed) say(`--- ${name}\n${output.trimEnd()}\n`);
  const line = results.map(({ name, failed, skipped }) => {
    if (failed) return `${name} FAILED`;
    return skipped ? `${name} skipped` : `${name} ok`;
  });
  say(`Checks: types ok, ${line.join(', ')}`);
  if (results.some(({ failed }) => failed)) throw new Failure();
}

if (isStarted(import.meta.url)) {
  await main(async () => {
    await prepare({ tests: true });
    await check();
  });
}
