// npm run test:mutants -- [--seed WORD] [--count NUMBER | --all] [--path WORD] [--list] [--json FILE] [--budget SECONDS]:
// do the tests notice small faults in the code? See README.md.
import { readdirSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../support/reference.js';
import { Baselines } from './baselines.js';
import { equivalents, matches } from './equivalents.js';
import { mutantsOf, sample } from './mutants.js';
import { describe, formatReport, isGoodEnough, reportJson } from './report.js';
import { Sandbox } from './sandbox.js';
import { TestGraph } from './test-graph.js';
import { Trials, type Trial } from './trials.js';

const folders = [
  'dist/src/diffusion',
  'dist/src/session',
  'dist/src/engine',
  'dist/src/image',
  'protocol/dist',
];

/** Tests of whole programs and of other parts: they are slow, and show little about one line. */
const farTests =
  /^dist\/test\/(?:(?:cli|clients|conformance|e2e|faults|metrics|model|mutants|ops|soak|transport|video)\/|[^/]+$)/;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '200' },
    all: { type: 'boolean', default: false },
    path: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    json: { type: 'string', default: '' },
    budget: { type: 'string', default: '40' },
  },
});

const all = folders
  .flatMap(modulesUnder)
  .flatMap((module) => mutantsOf(repositoryRoot, module))
  .filter(({ file, line }) => `${file}:${line}:`.includes(values.path));
const mutants = values.all ? all : sample(all, Number(values.count), values.seed);
const equivalent = mutants.flatMap((mutant) => {
  const entry = equivalents.find((entry) => matches(entry, mutant));
  return entry === undefined ? [] : [{ mutant, reason: entry.reason }];
});
const testable = mutants.filter((mutant) => !equivalent.some((entry) => entry.mutant === mutant));

if (values.list) {
  for (const mutant of mutants) process.stdout.write(`${describe(mutant)}\n`);
} else {
  process.exitCode = (await measure()) ? 0 : 1;
}

async function measure(): Promise<boolean> {
  // Ctrl-C stops after the current mutant, with a report of those that were tested; a second one stops at once.
  const stop = new AbortController();
  process.on('SIGINT', () => (stop.signal.aborted ? process.exit(130) : stop.abort()));
  // The sandbox is cleaned up at the exit.
  process.once('SIGTERM', () => process.exit(143));
  using sandbox = new Sandbox(repositoryRoot);
  const tests = filesUnder('dist/test').filter((file) => file.endsWith('.test.js') && !farTests.test(file));
  const graph = new TestGraph(repositoryRoot, tests);
  const modules = new Set(folders.flatMap(modulesUnder));
  const baselines = new Baselines(sandbox, graph, modules, join(repositoryRoot, '.cache/mutants'));
  const trials = new Trials(sandbox, graph, baselines, 1000 * Number(values.budget));
  const results: Trial[] = [];
  for (const mutant of testable) {
    if (stop.signal.aborted) break;
    const trial = await trials.try(mutant);
    results.push(trial);
    process.stderr.write(
      `${results.length}/${testable.length} ${trial.verdict.padEnd(9)} ${describe(mutant)}\n`,
    );
  }
  const report = {
    seed: values.seed,
    possible: all.length,
    trials: results,
    equivalent,
    stale: equivalents.filter((entry) => values.path === '' && !all.some((mutant) => matches(entry, mutant))),
    failing: baselines.failing,
  };
  process.stdout.write(`${formatReport(report)}\n`);
  if (values.json !== '') writeFileSync(values.json, reportJson(report));
  return isGoodEnough(report);
}

function modulesUnder(folder: string): readonly string[] {
  return filesUnder(folder).filter((file) => file.endsWith('.js'));
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(join(repositoryRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(repositoryRoot, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}
