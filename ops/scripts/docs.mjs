// npm run docs: writes the documents and files that are generated from code. --check: fails if one is out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { format, resolveConfig } from 'prettier';
import { metricsDocument } from './docs-metrics.mjs';
import { protocolDocument } from './docs-protocol.mjs';
import { pythonMessages } from './docs-python.mjs';
import { Failure, main, root, say } from './lib.mjs';

/** Functions that return the contents of a file, from its present ones. */
const documents = {
  'ops/docs/metrics.md': metricsDocument,
  'protocol/PROTOCOL.md': protocolDocument,
  'clients/python/src/millrace/_generated.py': pythonMessages,
};

await main(async () => {
  let outdated = false;
  for (const [name, contents] of Object.entries(documents)) {
    const path = join(root, name);
    const present = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const wanted = await formatted(path, contents(present));
    if (present === wanted) continue;
    if (!process.argv.includes('--check')) {
      writeFileSync(path, wanted);
      continue;
    }
    say(`${name} is out of date with the code that it is generated from: run npm run docs`);
    outdated = true;
  }
  if (outdated) throw new Failure();
});

async function formatted(path, text) {
  return path.endsWith('.md') ? format(text, { ...(await resolveConfig(path)), filepath: path }) : text;
}
