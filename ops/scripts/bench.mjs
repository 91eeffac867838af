// npm run bench [NAME...]: runs the benchmarks one after another; each prints a table and a line of JSON.
import { basename } from 'node:path';
import process from 'node:process';
import { Failure, filesUnder, main, run, say } from './lib.mjs';
import { prepare } from './prepare.mjs';

await main(async () => {
  await prepare({ tests: true });
  const wanted = process.argv.slice(2);
  const suffix = '.bench.js';
  const all = filesUnder('dist/test/bench').filter((file) => file.endsWith(suffix));
  const names = all.map((file) => basename(file, suffix));
  const unknown = wanted.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    say(`Unknown benchmark ${unknown}; known: ${names.join(', ')}.`);
    throw new Failure();
  }
  for (const [index, file] of all.entries()) {
    if (wanted.length && !wanted.includes(names[index])) continue;
    const { code } = await run(process.execPath, [file]);
    if (code !== 0) throw new Failure(code);
  }
});
