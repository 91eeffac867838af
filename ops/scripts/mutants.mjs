// npm run test:mutants: do the tests detect small faults in the code? See test/mutants.
import process from 'node:process';
import { main, mustRun } from './lib.mjs';
import { prepare } from './prepare.mjs';

await main(async () => {
  await prepare({ tests: true });
  await mustRun(process.execPath, ['dist/test/mutants/main.js', ...process.argv.slice(2)]);
});
