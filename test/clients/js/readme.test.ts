import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { SignJWT } from 'jose';
import { decodeImage } from '../../../src/image/decode.js';
import { repositoryRoot } from '../../support/reference.js';
import { startServer } from '../../support/server.js';

const readme = await readFile(join(repositoryRoot, 'clients/js/README.md'), 'utf8');
const [first = '', events = '', token = ''] = [...readme.matchAll(/^```js\n([^]*?)^```/gm)].map(
  ([, code = '']) => code,
);

test('the first example of the README runs, with the listeners of the second', async () => {
  await using server = await startServer();
  await server.app.ready();
  // Within the repository, so that the example finds the packages.
  const folder = await mkdtemp(join(repositoryRoot, 'dist/client-readme-'));
  try {
    await copyFile(join(repositoryRoot, 'test/fixtures/images/tower.jpg'), join(folder, 'tower.jpg'));
    const code = first
      .replace('http://127.0.0.1:8420', server.url)
      // As the README's last table says for Node 20.
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

test('the first example of the README ends with the reason when its picture is refused', async () => {
  await using server = await startServer();
  await server.app.ready();
  const folder = await mkdtemp(join(repositoryRoot, 'dist/client-readme-'));
  try {
    await writeFile(join(folder, 'tower.jpg'), 'a text');
    const code = first
      .replace('http://127.0.0.1:8420', server.url)
      .replace('{ parameters', '{ webSocket: WebSocket, parameters');
    await writeFile(join(folder, 'example.mjs'), `import { WebSocket } from 'ws';\n${code}`);
    await assert.rejects(promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder }), {
      code: 1,
      stderr: /MillraceError[^]*code: 'invalid_frame'/,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the example with a token function works with the token that it returns', async () => {
  const secret = 'a secret of thirty-two bytes or more';
  await using server = await startServer({ jwtSecret: secret });
  await server.app.ready();
  const page = createServer((_request, response) => {
    void new SignJWT({ sub: 'ann' })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1m')
      .sign(new TextEncoder().encode(secret))
      .then((jwt) => response.end(jwt));
  });
  await once(page.listen(0, '127.0.0.1'), 'listening');
  const address = page.address();
  assert.ok(address !== null && typeof address === 'object');
  const folder = await mkdtemp(join(repositoryRoot, 'dist/client-readme-'));
  try {
    // In a page the address of the token would be the page's own.
    const code = token
      .replace('https://millrace.example', server.url)
      .replace("'/millrace-token'", `'http://127.0.0.1:${address.port}/millrace-token'`)
      .replace('{\n  token', '{\n  webSocket: WebSocket,\n  token');
    const around = ["import { connect } from '@millrace/client';", "import { WebSocket } from 'ws';", code];
    const end = 'console.log(stream.model);\nawait stream.close();';
    await writeFile(join(folder, 'token.mjs'), [...around, end].join('\n'));
    const { stdout } = await promisify(execFile)(process.execPath, ['token.mjs'], { cwd: folder });
    assert.ok(stdout.trim().length > 0);
  } finally {
    await rm(folder, { recursive: true });
    page.closeAllConnections();
    page.close();
  }
});
