import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { Baselines } from './baselines.js';
import { possibleEdits } from './edits.js';
import type { Mutant } from './mutants.js';
import { mutators } from './mutators.js';
import { Sandbox } from './sandbox.js';
import { TestGraph } from './test-graph.js';
import { Trials, type Trial } from './trials.js';

const module = 'dist/src/image/module.js';
const code = `
  export const half = (a) => a / 2;
  export const larger = (a, b) => (a > b ? a : b);
  export const unused = (a) => a + 1;
`;
const head = `
  import assert from 'node:assert/strict';
  import { test } from 'node:test';
  import { half, larger, unused } from '../../src/image/module.js';
`;
/** Built files of a small repository. The names show which test is nearer. */
const files = {
  [module]: code,
  'dist/test/support/properties.js': '',
  'dist/test/image/module.test.js': `${head} test('half', () => assert.equal(half(2), 1));`,
  'dist/test/image/further.test.js': `${head} test('larger', () => assert.equal(larger(2, 1), 2));`,
  'dist/test/image/failing.test.js': `${head} test('unused', () => assert.equal(unused(1), 3));`,
  'protocol/package.json': '{}',
  'package.json': '{ "type": "module" }',
};

/** Tests all mutants of the module in a small repository. */
async function tryAll(t: TestContext): Promise<{ trials: readonly Trial[]; failing: readonly string[] }> {
  const root = mkdtempSync(join(tmpdir(), 'millrace-test-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries({ ...files, 'node_modules/@millrace/.keep': '' })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  using sandbox = new Sandbox(root);
  const tests = Object.keys(files).filter((path) => path.endsWith('.test.js'));
  const graph = new TestGraph(root, tests);
  const baselines = new Baselines(sandbox, graph, new Set([module]), join(root, 'cache'));
  const runner = new Trials(sandbox, graph, baselines, 60_000);
  const trials: Trial[] = [];
  for (const edit of possibleEdits(code, mutators)) {
    const mutant: Mutant = { ...edit, module, file: 'src/image/module.ts', line: 1, source: '' };
    trials.push(await runner.try(mutant));
  }
  assert.equal(readFileSync(join(root, module), 'utf8'), code, 'the repository is unchanged');
  return { trials, failing: baselines.failing };
}

it('a mutant is noticed by the nearest failing test that runs its code, and survives passing tests', async (t) => {
  const { trials, failing } = await tryAll(t);
  const verdictOf = (after: string): readonly [string, ...(readonly string[])] => {
    const trial = trials.find(({ mutant }) => mutant.after === after);
    assert.ok(trial, after);
    return [trial.verdict, ...trial.tests.map((test) => test.replace('dist/test/image/', ''))];
  };
  assert.deepEqual(verdictOf('a * 2'), ['noticed', 'module.test.js']);
  assert.deepEqual(verdictOf('a <= b'), ['noticed', 'further.test.js']);
  assert.deepEqual(verdictOf('a >= b'), ['survived', 'further.test.js']);
  assert.deepEqual(verdictOf('a - 1'), ['survived'], 'a test that fails without a mutant does not count');
  assert.deepEqual(failing, ['dist/test/image/failing.test.js']);
});
