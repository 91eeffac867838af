// node ops/scripts/built.mjs NAME ARGUMENT...: builds as needed, and runs one of the longer tests.
import process from 'node:process';
import { Failure, main, mustRun, say } from './lib.mjs';
import { prepare } from './prepare.mjs';

/** Arguments of Node, and default environment variables. */
const programs = {
  // npm run conformance -- SERVER -- PROGRAM ARGUMENT...: does a client speak the protocol? See test/conformance.
  conformance: { args: ['dist/test/conformance/main.js'] },
  // npm run test:attacks -- WORD...: how well others are served during an attack. See test/attacks.
  attacks: { args: ['dist/test/attacks/main.js'] },
  // npm run test:soak: clients and attackers come and go for 8 minutes; the server must not slow down or grow.
  soak: {
    args: ['--test', '--test-reporter=spec', 'dist/test/soak/soak.test.js'],
    env: { MILLRACE_SOAK_SECONDS: '480' },
  },
};

await main(async () => {
  const [name, ...rest] = process.argv.slice(2);
  const program = programs[name];
  if (!program) {
    say(`Unknown program ${name}; known: ${Object.keys(programs).join(', ')}.`);
    throw new Failure();
  }
  await prepare({ tests: true });
  const env = { ...program.env, ...process.env };
  await mustRun(process.execPath, [...program.args, ...rest], { env });
});
