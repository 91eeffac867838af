// npm run bench [NAME...] [--OPTION...]: runs the benchmarks one after another; each prints a table and a line of JSON.
// Options are those of the benchmark.
import { basename } from 'node:path';
import process from 'node:process';
import { Failure, filesUnder, main, mustRun, say } from './lib.mjs';
import { prepare } from './prepare.mjs';

await main(async () => {
  await prepare({ tests: true });
  const words = process.argv.slice(2);
  const firstOption = words.findIndex((word) => word.startsWith('--'));
  const wanted = firstOption < 0 ? words : words.slice(0, firstOption);
  const options = words.slice(wanted.length);
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
    await mustRun(process.execPath, [file, ...options]);
  }
});
