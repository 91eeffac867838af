// npm run test:soak: clients come and go for 8 minutes, or for MILLRACE_SOAK_SECONDS; the server must stay as it is.
import process from 'node:process';
import { Failure, main, run } from './house.mjs';
import { prepare } from './prepare.mjs';

await main(async () => {
  await prepare({ tests: true });
  const env = { ...process.env, MILLRACE_SOAK_SECONDS: process.env.MILLRACE_SOAK_SECONDS ?? '480' };
  const args = ['--test', '--test-reporter=spec', 'dist/test/soak/soak.test.js'];
  const { code } = await run(process.execPath, args, { env });
  if (code !== 0) throw new Failure(code);
});
