// npm run conformance -- SERVER -- PROGRAM ARGUMENT...: does a client speak the protocol? See test/conformance.
import process from 'node:process';
import { Failure, main, run } from './house.mjs';
import { prepare } from './prepare.mjs';

await main(async () => {
  await prepare({ tests: true });
  const { code } = await run(process.execPath, ['dist/test/conformance/main.js', ...process.argv.slice(2)]);
  if (code !== 0) throw new Failure(code);
});
