import assert from 'node:assert/strict';
import { createServer, request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { openBrowser } from '../support/browser.js';
import { playClip } from '../support/served-page.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;

before(async () => {
  server = await startServer();
  await server.app.ready();
});

after(async () => server[Symbol.asyncDispose]());

/** Requests a file as it is sent. `fetch` would decompress it. */
async function get(
  path: string,
  encoding: string,
): Promise<{ readonly message: IncomingMessage; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, server.url),
      { headers: { 'accept-encoding': encoding } },
      (message) => {
        const chunks: Buffer[] = [];
        message.on('data', (chunk: Buffer) => chunks.push(chunk));
        message.on('end', () => resolve({ message, body: Buffer.concat(chunks) }));
      },
    );
    sent.on('error', reject).end();
  });
}

/** Returns the scripts that a page loads at its start. */
async function scriptsOf(page: string): Promise<readonly string[]> {
  const { body } = await get(page, 'identity');
  return [...body.toString().matchAll(/(?:src|href)="([^"]+\.js)"/g)].map(([, path = '']) => path);
}

describe('the files of the page', () => {
  it('have less than 100 KB of JavaScript, compressed', async () => {
    for (const page of ['/', '/dashboard']) {
      const scripts = await scriptsOf(page);
      assert.ok(scripts.length > 0);
      let bytes = 0;
      for (const script of scripts) bytes += (await get(script, 'gzip')).body.length;
      assert.ok(bytes < 100_000, `${page}: ${bytes} bytes`);
    }
  });

  it('are sent compressed to browsers that take it, and as they are to others', async () => {
    const [script = ''] = await scriptsOf('/');
    const plain = await get(script, 'identity');
    assert.equal(plain.message.headers['content-encoding'], undefined);
    const brotli = await get(script, 'gzip, deflate, br');
    assert.equal(brotli.message.headers['content-encoding'], 'br');
    assert.deepEqual(brotliDecompressSync(brotli.body), plain.body);
    const gzip = await get(script, 'gzip');
    assert.equal(gzip.message.headers['content-encoding'], 'gzip');
    assert.deepEqual(gunzipSync(gzip.body), plain.body);
    for (const { message } of [plain, brotli, gzip]) {
      assert.match(message.headers['content-type'] ?? '', /javascript/);
      assert.equal(message.headers['cache-control'], 'public, max-age=31536000, immutable');
      assert.equal(message.headers.vary, 'accept-encoding');
    }
    const page = await get('/', 'br');
    assert.deepEqual(
      [page.message.headers['content-encoding'], page.message.headers['cache-control']],
      ['br', 'no-cache'],
    );
  });
});

describe('behind a proxy', () => {
  it('the page, its stream, the dashboard and links for viewers work under a path', async () => {
    await using proxy = await startProxy(server.url, '/studio');
    await using browser = await openBrowser();
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await playClip(page, `${proxy.url}/studio/`);
    await page.getByTestId('share').click();
    const link = await page.getByTestId('view-link').inputValue();
    assert.ok(link.startsWith(`${proxy.url}/studio/view/`), link);
    const friend = await browser.newPage();
    await friend.goto(link);
    await friend.locator('[data-flowing=true]').waitFor({ state: 'attached' });
    await friend.goto(`${proxy.url}/studio/dashboard`);
    await friend
      .getByText('The dashboard of this server requires a token')
      .or(friend.getByTestId('tile-users'))
      .waitFor();
    assert.deepEqual(problems, []);
  });
});

/** Starts a proxy that passes on everything under a path, without it. */
async function startProxy(target: string, path: string): Promise<AsyncDisposable & { readonly url: string }> {
  const { hostname, port } = new URL(target);
  const proxy = createServer((incoming, outgoing) => {
    if (incoming.url?.startsWith(`${path}/`) !== true) return void outgoing.writeHead(404).end();
    const { method, headers } = incoming;
    const passed = request(
      { hostname, port, method, headers, path: incoming.url.slice(path.length) },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  proxy.on('upgrade', (incoming, socket) => {
    const behind = connect(Number(port), hostname);
    const lines = incoming.rawHeaders.flatMap((text, i) =>
      i % 2 ? [] : [`${text}: ${incoming.rawHeaders[i + 1]}`],
    );
    behind.write(`GET ${incoming.url?.slice(path.length)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    behind.pipe(socket).pipe(behind);
    behind.on('error', () => socket.destroy());
    socket.on('error', () => behind.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
