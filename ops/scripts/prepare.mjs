// Installs and builds what has changed since the last run. Returns at once if nothing has.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { Failure, filesUnder, isStarted, main, root, run, say, tool } from './lib.mjs';

const OLDEST_NODE = [20, 19];

const tsc = (...projects) => [tool('typescript/bin/tsc'), '-b', ...projects];

/** The build steps in order, with sources and results. Tests are built only when they are run. */
const steps = {
  server: {
    from: ['protocol', 'clients/js', 'src'],
    to: ['protocol/dist/index.js', 'clients/js/dist/index.js', 'dist/src'],
    commands: [tsc('protocol', 'src')],
  },
  page: {
    from: ['protocol', 'clients/js', 'clients/web'],
    to: ['clients/js/dist/index.js', 'clients/web/dist/index.html'],
    commands: [
      tsc('clients/js', 'clients/web'),
      [tool('vite/bin/vite.js'), 'build', '--logLevel=warn', 'clients/web'],
    ],
  },
  tests: {
    from: ['protocol', 'clients/js', 'src', 'test'],
    to: ['dist/test'],
    commands: [tsc('test')],
  },
};

/** Installs the packages, and builds the server, its page and optionally the tests, as needed. */
export async function prepare({ tests = false } = {}) {
  checkNode();
  if (!isInstalled()) await install();
  for (const name of ['server', 'page', ...(tests ? ['tests'] : [])]) await build(name, steps[name]);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  say(`Millrace needs Node.js ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`);
  throw new Failure();
}

/** Whether node_modules holds what package-lock.json names: npm keeps a list of what it installed. */
function isInstalled() {
  const wanted = lockedPackages('package-lock.json');
  const present = lockedPackages('node_modules/.package-lock.json');
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    const found = present[path];
    // An optional package may be for another system.
    return path === '' || (found ? found.version === version : optional);
  });
}

function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return null;
  }
}

async function install() {
  say('Installing packages (once)…');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  // The install script of onnxruntime-node would fetch GPU libraries; the package works without them.
  const env = { ...process.env, npm_config_onnxruntime_node_install: 'skip' };
  // Not `npm ci`, which removes everything that is installed first.
  const args = ['install', '--no-save', '--loglevel=error', '--no-audit', '--no-fund'];
  const { code } = await run(npm, args, { env });
  if (code === 0) return;
  say('The packages could not be installed: see above. The next start tries again.');
  throw new Failure(code);
}

async function build(name, { from, to, commands }) {
  const stamp = join(root, 'dist', `.built-${name}`);
  const before = digest(from);
  if (
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === before &&
    to.every((path) => existsSync(join(root, path)))
  )
    return;
  say(`Building the ${name}…`);
  rmSync(stamp, { force: true });
  removeOrphans();
  for (const command of commands) {
    const { code, output } = await run(process.execPath, command, { quiet: true });
    if (code === 0) continue;
    say(output.trimEnd());
    say(`The ${name} could not be built: see above.`);
    throw new Failure(code);
  }
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, before);
}

/** Returns a hash that changes when a source file is added, removed or written. */
function digest(folders) {
  const hash = createHash('sha256');
  const sources = folders.flatMap((folder) => filesUnder(folder, isOutput));
  for (const file of [...sources, 'package-lock.json', 'tsconfig.base.json']) {
    const { mtimeMs, size } = statSync(join(root, file));
    hash.update(`${file} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

function isOutput(name) {
  return name === 'dist' || name === 'node_modules' || name === 'fixtures';
}

/** Removes build results of deleted sources: the compiler keeps them, and a deleted test would still run. */
function removeOrphans() {
  for (const folder of ['src', 'test']) {
    for (const file of filesUnder(`dist/${folder}`)) {
      const source = file.slice('dist/'.length).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
      if (source.endsWith('.ts') && !existsSync(join(root, source))) rmSync(join(root, file));
    }
  }
}

if (isStarted(import.meta.url)) await main(() => prepare({ tests: true }));
