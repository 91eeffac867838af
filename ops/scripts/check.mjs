// Types, lint, format and dead code. Types are checked by building.
import process from 'node:process';
import { Failure, isStarted, main, run, say, tool } from './house.mjs';
import { prepare } from './prepare.mjs';

const checks = {
  lint: [tool('oxlint/bin/oxlint')],
  format: [tool('prettier/bin/prettier.cjs'), '--check', '--log-level=warn', '.'],
  'dead code': [tool('knip/bin/knip.js'), '--no-progress'],
};

/** Runs all checks at once and shows what those that failed say. */
export async function check() {
  const results = await Promise.all(
    Object.entries(checks).map(async ([name, command]) => {
      const { code, output } = await run(process.execPath, command, { quiet: true });
      return { name, failed: code !== 0, output };
    }),
  );
  for (const { name, failed, output } of results) if (failed) say(`--- ${name}\n${output.trimEnd()}\n`);
  const line = results.map(({ name, failed }) => `${name} ${failed ? 'FAILED' : 'ok'}`);
  say(`Checks: types ok, ${line.join(', ')}`);
  if (results.some(({ failed }) => failed)) throw new Failure();
}

if (isStarted(import.meta.url)) {
  await main(async () => {
    await prepare({ tests: true });
    await check();
  });
}
