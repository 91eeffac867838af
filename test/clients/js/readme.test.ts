import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { decodeImage } from '../../../src/image/decode.js';
import { repositoryRoot } from '../../support/reference.js';
import { startServer } from '../../support/server.js';

const readme = await readFile(join(repositoryRoot, 'clients/js/README.md'), 'utf8');
const [first = '', events = ''] = [...readme.matchAll(/^```js\n([^]*?)^```/gm)].map(([, code = '']) => code);

test('the first example of the README runs, with the listeners of the second', async () => {
  await using server = await startServer();
  await server.app.ready();
  // Within the repository, so that the example finds the packages.
  const folder = await mkdtemp(join(repositoryRoot, 'dist/client-readme-'));
  try {
    await copyFile(join(repositoryRoot, 'test/fixtures/images/tower.jpg'), join(folder, 'tower.jpg'));
    const code = first
      .replace('http://127.0.0.1:8420', server.url)
      // As the README's last table says of Node 20.
      .replace('{ parameters', '{ webSocket: WebSocket, parameters')
      .replace(/^stream\.send/m, `${events}\n$&`);
    await writeFile(join(folder, 'example.mjs'), `import { WebSocket } from 'ws';\n${code}`);
    await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder });
    const image = await decodeImage(await readFile(join(folder, 'painted.jpg')), { maxPixels: 1e6 });
    assert.ok(image.width >= 64);
  } finally {
    await rm(folder, { recursive: true });
  }
});
