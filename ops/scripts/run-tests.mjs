// node --import MODULE ops/scripts/run-tests.mjs FILE...: runs test files like `node --test`, but in the given order, and
// several in a process where they do not mind.
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { grouped } from './test-groups.mjs';

// Two more than processors, since some tests wait most of the time. Each may start servers and browsers of its own.
const concurrency = Math.min(availableParallelism() + 2, 8);
const files = grouped(process.argv.slice(2)).map((file) => resolve(file));
run({ files, concurrency })
  .on('test:fail', () => (process.exitCode = 1))
  .compose(new spec())
  .pipe(process.stdout);
