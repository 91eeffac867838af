import type * as client from '@millrace/client';
import type * as browserClient from '@millrace/client/browser';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'vite';
import { openBrowser } from '../support/browser.js';
import { tinyModel } from '../support/engine.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer } from '../support/server.js';

type Client = typeof client & typeof browserClient;

/** Bundles the client into one script for a page, with its exports in the global `millrace`. */
async function bundleClient(): Promise<string> {
  const modules = ['index.js', 'browser/index.js'].map((file) =>
    join(repositoryRoot, 'clients/js/dist', file),
  );
  const source = modules.map((path) => `export * from ${JSON.stringify(path)};`).join('\n');
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'client',
        enforce: 'pre',
        resolveId: (id) => (id.endsWith('client-of-page') ? '\0client' : undefined),
        load: (id) => (id === '\0client' ? source : undefined),
      },
    ],
    build: {
      write: false,
      minify: false,
      lib: { entry: 'client-of-page', formats: ['iife'], name: 'millrace' },
    },
  });
  const [output] = [built].flat();
  assert.ok(output !== undefined && 'output' in output);
  return output.output[0].code;
}

test('a MediaStream of a camera becomes a MediaStream of results', async () => {
  await using server = await startServer({ model: tinyModel });
  await server.app.ready();
  await using browser = await openBrowser();
  // The server's page allows only its own scripts.
  const page = await browser.newPage({ bypassCSP: true });
  await page.goto(server.url);
  await page.addScriptTag({ content: await bundleClient() });
  const seen = await page.evaluate(async (url) => {
    const { connect, resultStream, VideoSource } = (globalThis as unknown as { millrace: Client }).millrace;
    const camera = document.createElement('video');
    camera.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
    camera.muted = true;
    await camera.play();
    const stream = await connect(url, { parameters: { width: 64, height: 96 } });
    const source = new VideoSource(stream, camera);
    const media = resultStream(stream);
    const [track] = media.getVideoTracks();
    const ended = new Promise<void>((resolve) => track.addEventListener('ended', () => resolve()));
    const output = document.createElement('video');
    output.muted = true;
    output.srcObject = media;
    const frames = (async () => {
      for (let count = 0; count < 3; count++) {
        await new Promise((resolve) => output.requestVideoFrameCallback(resolve));
      }
    })();
    await output.play();
    await frames;
    const size = [output.videoWidth, output.videoHeight];
    const { consumed } = stream.stats();
    source.stop();
    await stream.close();
    await ended;
    return { size, consumed, state: track.readyState };
  }, server.url);
  assert.deepEqual(seen.size, [64, 96]);
  assert.ok(seen.consumed >= 2);
  assert.equal(seen.state, 'ended');
});

test('the browser example in the README of the client paints a picture', async () => {
  const readme = await readFile(join(repositoryRoot, 'clients/js/README.md'), 'utf8');
  const [, example = ''] = /^```js\n([^`]*VideoSource[^]*?)^```/m.exec(readme) ?? [];
  const code = example.replaceAll(/^import .*$/gm, '');
  await using server = await startServer({ model: tinyModel });
  await server.app.ready();
  await using browser = await openBrowser();
  const page = await browser.newPage({ bypassCSP: true });
  await page.goto(server.url);
  await page.addScriptTag({ content: await bundleClient() });
  await page.evaluate(() => (document.body.innerHTML = '<video muted></video><canvas></canvas>'));
  await page.evaluate(`(async () => {
    const { connect, drawResults, VideoSource } = millrace;
    ${code}
  })()`);
  // A canvas is 300 pixels wide by default.
  await page.waitForFunction(() => document.querySelector('canvas')?.width !== 300);
});
