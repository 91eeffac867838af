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
let advice = 0;
for (const conformanceCase of suite.filter(({ name }) => name.includes(values.only))) {
  const { name, section, level } = conformanceCase;
  try {
    await conformanceCase.run(setup);
    process.stdout.write(`ok      ${name}\n`);
  } catch (error) {
    if (level === 'must') failures += 1;
    else advice += 1;
    const mark = level === 'must' ? 'FAILED ' : 'advice ';
    const text = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${mark} ${name} (PROTOCOL.md section ${section})\n        ${text}\n`);
  }
}
const should = advice === 0 ? '' : ` It does not follow ${advice} of the SHOULD rules.`;
process.stdout.write(failures === 0 ? `The client conforms.${should}\n` : `${failures} failed.\n`);
process.exitCode = failures === 0 ? 0 : 1;
