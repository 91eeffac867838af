// Test files that can share a process: starting one, and loading the same modules, takes longer than most of them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './lib.mjs';

/**
 * Folders whose files share processes, and how many of them one process runs: few enough that none is left running alone
 * at the end. Files of the other folders look at their process, or at the load of the machine.
 */
const shared = {
  bench: 2,
  cli: 5,
  'clients/js': 7,
  diffusion: 15,
  e2e: 5,
  'engine/webgpu': 1,
  'engine/worker': 15,
  engine: 6,
  faults: 4,
  image: 10,
  metrics: 8,
  model: 12,
  mutants: 3,
  ops: 6,
  parity: 3,
  protocol: 12,
  session: 12,
  settings: 2,
  text: 2,
  transport: 7,
  video: 4,
};
/** What changes or measures the process of a test, beyond this test. What reads its environment does not. */
const alone =
  /(?<!\.)\bmock\.(?:method|timers)|globalThis\.\w+ = |process\.(?:env\[.+?\] = |on\(|memoryUsage)|allocUnsafe|eventLoopUtilization|Object\.assign\(process|setFlagsFromString/;
/** What a file that tests import does only where it is loaded first; in a function, it is for each test that calls it. */
const once = /^(?:beforeEach|afterEach|mock\.method)\(/m;
/** What is for all files of a group, or cleans up behind itself. */
const common = new Set(
  ['engine-pool', 'browser', 'served-page', 'command'].map((part) => `dist/test/support/${part}.js`),
);

/**
 * Returns the files with those that can share a process replaced by files that import them, as suites that run one
 * after the other.
 */
export function grouped(files) {
  const folder = join(root, 'dist/test-groups');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  const nameOf = (file) => Object.keys(shared).find((name) => file.startsWith(join('dist/test', name, '/')));
  const groups = [];
  const open = new Map();
  for (const file of files) {
    const name = runsAlone(file) ? undefined : nameOf(file);
    const group = open.get(name);
    if (name !== undefined && group !== undefined && group.length < shared[name]) {
      group.push(file);
      continue;
    }
    const next = [file];
    groups.push(next);
    open.set(name, next);
  }
  return groups.map((members, index) => {
    if (members.length === 1) return members[0];
    const file = join(folder, `${nameOf(members[0]).replace('/', '-')}-${index}.test.js`);
    writeFileSync(
      file,
      groupOf(members, (member) => texts.get(member)),
    );
    return relative(root, file);
  });
}

/** Returns whether a test, or what it imports from the tests, needs a process of its own. */
function runsAlone(file, seen = new Set()) {
  const isTest = seen.size === 0;
  seen.add(file);
  const text = readFileSync(join(root, file), 'utf8');
  if ((isTest ? alone : once).test(text)) return true;
  return [...text.matchAll(/from '(\.[^']+)'/g)]
    .map(([, path]) => join(dirname(file), path))
    .filter((path) => path.startsWith(join('dist/test/')) && !common.has(path) && !seen.has(path))
    .some((path) => runsAlone(path, seen));
}

/** Returns the source of a file that runs others. */
function groupOf(files, textOf) {
  const url = (file) => JSON.stringify(pathToFileURL(join(root, file)).href);
  // Their engines and browser are for all files of the group, so the first of them must not import these modules.
  const isUsed = (part) => files.some((file) => textOf(file).includes(`support/${part}.js`));
  const shares = [
    ...(['server', 'served-page', 'engine-pool'].some(isUsed) ? ['engine-pool'] : []),
    ...(['browser', 'served-page'].some(isUsed) ? ['browser'] : []),
  ];
  return [
    `import { AsyncResource } from 'node:async_hooks';`,
    `import { after, describe } from 'node:test';`,
    `import { fileEnded } from ${JSON.stringify(new URL('test-times.mjs', import.meta.url).href)};`,
    ...shares.map((part) => `import ${url(`dist/test/support/${part}.js`)};`),
    // All are there from the beginning, since the process ends its common parts when no suite is left.
    'let last;',
    'const add = (name, url) => {',
    '  const before = last;',
    '  last = describe(name, async () => {',
    '    // Its tests belong to the suite in whose context it is loaded.',
    '    const load = AsyncResource.bind(() => import(url));',
    '    await before;',
    '    await load();',
    '    after(() => fileEnded(name));',
    '  });',
    '};',
    ...files.map((file) => `add(${JSON.stringify(file)}, ${url(file)});`),
    '',
  ].join('\n');
}
