import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { repositoryRoot } from '../support/reference.js';

interface Description {
  readonly name: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** For each package: files that it must contain besides its package.json, and files that it may contain. */
const packages = [
  {
    path: '.',
    needs: [
      'LICENSE',
      'README.md',
      'clients/web/dist/index.html',
      'clients/web/dist/dashboard.html',
      'ops/models/millrace-styles/README.md',
      'ops/models/millrace-styles/unet/model.onnx',
    ],
    may: /^(LICENSE|README\.md|package\.json|protocol\/PROTOCOL\.md|(dist\/src|clients\/web\/dist|ops\/models)\/.*)$/,
    // Most of this is the embedded model.
    megabytes: 20,
  },
  {
    path: 'protocol',
    needs: ['LICENSE', 'PROTOCOL.md', 'fixtures/hello.bin'],
    may: /^(package\.json|PROTOCOL\.md|README\.md|LICENSE|(dist|fixtures)\/.*)$/,
    megabytes: 1,
  },
  {
    path: 'clients/js',
    needs: ['LICENSE', 'README.md'],
    may: /^(package\.json|README\.md|LICENSE|dist\/.*)$/,
    megabytes: 1,
  },
] as const;

describe('npm pack', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-pack-'));
  });
  after(() => rm(folder, { recursive: true }));

  /** Packs a package and unpacks it. Returns the folder of its files, and the size of the archive in bytes. */
  async function pack(path: string): Promise<{ readonly files: string; readonly size: number }> {
    const target = join(folder, path.replaceAll(/\W/g, '_'));
    await mkdir(target);
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', target];
    const packed = spawnSync(npm, args, { cwd: join(repositoryRoot, path), encoding: 'utf8' });
    assert.equal(packed.status, 0, packed.stderr);
    const [{ filename, size }] = JSON.parse(packed.stdout) as [{ filename: string; size: number }];
    const tar = spawnSync('tar', ['-xzf', filename], { cwd: target, encoding: 'utf8' });
    assert.equal(tar.status, 0, tar.stderr);
    return { files: join(target, 'package'), size };
  }

  for (const { path, needs, may, megabytes } of packages) {
    it(`${path}: contains what it needs and nothing else`, async () => {
      const { files, size } = await pack(path);
      const entries = await readdir(files, { recursive: true, withFileTypes: true });
      const all = entries
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(files.length + 1));
      const description = JSON.parse(await readFile(join(files, 'package.json'), 'utf8')) as Description;
      const entryPoints = [
        ...Object.values(description.bin ?? {}),
        ...Object.values(description.exports ?? {}).flatMap((targets) => Object.values(targets)),
      ].map((file) => file.replace(/^\.\//, ''));
      assert.ok(entryPoints.length > 0);
      for (const file of [...needs, ...entryPoints]) assert.ok(all.includes(file), `${file} is missing`);
      assert.deepEqual(
        all.filter((file) => !may.test(file) || /(^|\/)(test|node_modules|\.[^/]*)(\/|$)/.test(file)),
        [],
      );
      assert.ok(size < megabytes * 1024 * 1024, `${size} bytes`);
    });
  }

  it('contains a server that starts and shows its page', async () => {
    const files = join(folder, '_', 'package');
    // Its dependencies, where npm would put them.
    await symlink(join(repositoryRoot, 'node_modules'), join(folder, '_', 'node_modules'), 'junction');
    const main = join(files, 'dist/src/cli/main.js');
    const options = ['--port', '0', '--cache-directory', '', '--log-format', 'json'];
    const child = spawn(process.execPath, [main, 'serve', ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (output += data.toString()));
    const ended = once(child, 'close');
    try {
      let url: string | undefined;
      while (url === undefined) {
        await Promise.race([once(child.stdout, 'data'), ended]);
        assert.equal(child.exitCode, null, output);
        url = /"ready: open (http:\S+)/.exec(output)?.[1];
      }
      const page = await fetch(url);
      assert.match(await page.text(), /<title>/);
    } finally {
      child.kill();
      await ended;
    }
  });
});
