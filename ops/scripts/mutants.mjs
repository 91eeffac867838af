// npm run test:mutants: do the tests detect small faults in the code? See test/mutants.
import process from 'node:process';
import { Failure, main, run } from './lib.mjs';
import { prepare } from './prepare.mjs';

await main(async () => {
  await prepare({ tests: true });
  const { code } = await run(process.execPath, ['dist/test/mutants/main.js', ...process.argv.slice(2)]);
  if (code !== 0) throw new Failure(code);
});
