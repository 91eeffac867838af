// The command line, from a source checkout: gets everything ready, then runs it in this same process.
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { main, root } from './house.mjs';
import { prepare } from './prepare.mjs';

await main(async () => {
  await prepare();
  const cli = join(root, 'dist', 'src', 'cli', 'main.js');
  process.argv[1] = cli;
  await import(pathToFileURL(cli));
});
