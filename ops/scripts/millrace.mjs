// The command line in a source checkout: installs and builds as needed, then runs it in this process.
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { main, root } from './lib.mjs';
import { prepare } from './prepare.mjs';

await main(async () => {
  await prepare();
  const cli = join(root, 'dist', 'src', 'cli', 'main.js');
  process.argv[1] = cli;
  await import(pathToFileURL(cli));
});
