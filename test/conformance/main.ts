// npm run conformance -- [--parameters JSON] [--only WORD] SERVER -- PROGRAM ARGUMENT...
import process from 'node:process';
import { parseArgs } from 'node:util';
import { motionJpegFrames } from '../support/frames.js';
import { suite } from './suite.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { parameters: { type: 'string', default: '{}' }, only: { type: 'string', default: '' } },
});
const [server, ...program] = positionals;
if (server === undefined || program.length === 0) {
  process.stderr.write(
    'usage: npm run conformance -- [--parameters JSON] [--only WORD] SERVER -- PROGRAM ARGUMENT...\n',
  );
  process.exit(2);
}
const setup = {
  server,
  program,
  parameters: JSON.parse(values.parameters) as object,
  images: motionJpegFrames('walkers.mjpeg'),
};

let failures = 0;
for (const conformanceCase of suite.filter(({ name }) => name.includes(values.only))) {
  const { name, section } = conformanceCase;
  try {
    await conformanceCase.run(setup);
    process.stdout.write(`ok      ${name}\n`);
  } catch (error) {
    failures += 1;
    const text = error instanceof Error ? error.message : String(error);
    process.stdout.write(`FAILED  ${name} (PROTOCOL.md section ${section})\n        ${text}\n`);
  }
}
process.stdout.write(failures === 0 ? 'The client conforms.\n' : `${failures} failed.\n`);
process.exitCode = failures === 0 ? 0 : 1;
