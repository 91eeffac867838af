// Test files that can share a process: starting one, and loading the same modules, takes longer than most of them.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './lib.mjs';

/** Folders whose files share processes. In others, files start programs, or look at their whole process. */
const shared = [
  'attacks',
  'bench',
  'diffusion',
  'engine/worker',
  'image',
  'metrics',
  'model',
  'protocol',
  'session',
  'settings',
  'text',
  'transport',
];
/** What changes or measures the process of a test, beyond this test. */
const alone =
  /(?<!\.)\bmock\.(?:method|timers)|globalThis|process\.(?:env\[|on\(|memoryUsage)|eventLoopUtilization|setFlagsFromString/;
/** Few enough that no group is left alone at the end. */
const most = 14;

/**
 * Returns the files with those that can share a process replaced by files that import them, as suites that run one
 * after the other.
 */
export function grouped(files) {
  const folder = join(root, 'dist/test-groups');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
  const nameOf = (file) => shared.find((name) => file.startsWith(join('dist/test', name, '/')));
  const groups = new Map();
  for (const file of files) {
    const name = alone.test(texts.get(file)) ? undefined : nameOf(file);
    const found = [...groups].filter(([key]) => key.startsWith(`${name}:`)).at(-1)?.[1];
    if (name !== undefined && found !== undefined && found.length < most) found.push(file);
    else groups.set(`${name}:${groups.size}`, [file]);
  }
  return [...groups].map(([key, members]) => {
    if (members.length === 1) return members[0];
    const file = join(folder, `${key.replace(/\W/g, '-')}.test.js`);
    writeFileSync(file, groupOf(members, (member) => texts.get(member)));
    return relative(root, file);
  });
}

/** Returns the source of a file that runs others. */
function groupOf(files, textOf) {
  const url = (file) => JSON.stringify(pathToFileURL(join(root, file)).href);
  // Its engines are for all files of the group, so it must not be imported by the first of them.
  const usesPool = files.some((file) => textOf(file).includes('support/server.js'));
  return [
    `import { describe } from 'node:test';`,
    ...(usesPool ? [`import ${url('dist/test/support/engine-pool.js')};`] : []),
    ...files.map((file) => `await describe(${JSON.stringify(file)}, async () => void (await import(${url(file)})));`),
    '',
  ].join('\n');
}
