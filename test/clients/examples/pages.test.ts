import fastifyStatic from '@fastify/static';
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { fastify, type FastifyInstance } from 'fastify';
import type { Page } from 'playwright-core';
import { build } from 'vite';
import { openBrowser, type TestBrowser } from '../../support/browser.js';
import { eventually } from '../../support/eventually.js';
import { repositoryRoot } from '../../support/reference.js';
import { startServer, type TestServer } from '../../support/server.js';

let server: TestServer;
let files: FastifyInstance;
let site: string;
let browser: TestBrowser;
let folder: string;
before(async () => {
  files = fastify();
  await files.register(fastifyStatic, { root: repositoryRoot });
  site = await files.listen({ port: 0, host: '127.0.0.1' });
  server = await startServer({ allowedOrigins: [site] });
  browser = await openBrowser();
  folder = await mkdtemp(join(repositoryRoot, 'dist/examples-'));
  await server.app.ready();
});
after(async () => {
  await browser.close();
  await files.close();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Opens a page that may use the camera. */
async function open(path: string): Promise<Page> {
  const context = await browser.newContext({ permissions: ['camera'] });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(error));
  await page.goto(`${site}/${path}?server=${encodeURIComponent(server.url)}`);
  return page;
}

/** Waits until the canvas shows something other than one colour. */
async function painted(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const canvas = document.querySelector('canvas');
    const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return new Set(pixels).size > 20;
  });
}

test('the page in one file paints the camera, and takes a new prompt', async () => {
  const page = await open('clients/examples/browser/index.html');
  await painted(page);
  await eventually(async () =>
    assert.match((await page.textContent('[role=status]')) ?? '', /\d+ ms in the server/),
  );
  await page.fill('input', 'x'.repeat(3000));
  await page.press('input', 'Enter');
  await page.waitForFunction(() =>
    document.querySelector('[role=alert]')?.textContent?.includes('prompt must be'),
  );
  await page.context().close();
});

test('the React component paints the camera', async () => {
  // The component alone is tested: React itself would be a large dependency, and Preact runs it as well.
  await writeFile(
    join(folder, 'main.jsx'),
    `import { render } from 'preact';
     import { PaintedCamera } from '${join(repositoryRoot, 'clients/examples/react/painted-camera.tsx')}';
     const server = new URLSearchParams(location.search).get('server');
     const show = (prompt) => render(<PaintedCamera server={server} prompt={prompt} />, document.body);
     show('a fox');
     window.show = show;`,
  );
  await writeFile(join(folder, 'index.html'), '<body><script type="module" src="/main.jsx"></script></body>');
  await build({
    root: folder,
    base: './',
    logLevel: 'warn',
    resolve: { alias: { react: 'preact/compat' } },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  });
  const page = await open(`${relative(repositoryRoot, folder)}/dist/index.html`);
  await painted(page);
  await eventually(async () => assert.equal(await page.textContent('[role=status]'), 'live'));
  await page.evaluate(`show(${JSON.stringify('x'.repeat(3000))})`);
  await page.waitForFunction(() =>
    document.querySelector('[role=status]')?.textContent?.includes('prompt must be'),
  );
  await page.context().close();
});
