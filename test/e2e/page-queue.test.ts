import { encodeMessage } from '@millrace/protocol';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { WebSocket } from 'ws';
import { openBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { openPage } from '../support/served-page.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

/** Opens a page that asks for a stream of a server whose only slot is taken. */
async function atFullServer(
  settings: { queueLength?: number },
  look: (page: Page, inside: StreamClient) => Promise<void>,
): Promise<void> {
  await using server = await startServer({ maxSessions: 1, ...settings });
  await server.app.ready();
  await using inside = await StreamClient.open(server.streamUrl);
  await using browser = await openBrowser();
  const page = await browser.newPage();
  await openPage(page, server.url);
  await page.getByTestId('source-clip').click();
  await look(page, inside);
}

test('the page says that a server accepts no more streams if its queue is full', async () => {
  await atFullServer({ queueLength: 0 }, async (page) => {
    await page
      .getByTestId('message')
      .getByText('The server is not accepting more streams at the moment.')
      .waitFor();
  });
});

test('the page shows its place in the queue of a full server, and starts when a slot is free', async () => {
  await atFullServer({}, async (page, inside) => {
    await page.getByText('Your place in the queue: 1').waitFor();
    await page.getByText(/You have waited 0:0\d, and nobody has left yet/).waitFor();
    const status = page.getByTestId('status');
    await eventually(async () => assert.equal(await status.textContent(), 'Waiting'));
    inside.socket.close(1000);
    await status.filter({ hasText: 'Live' }).waitFor();
  });
});

test('a second tab of a browser takes the place of the first, which says so', async () => {
  await using server = await startServer({ maxSessions: 1 });
  await server.app.ready();
  await using browser = await openBrowser();
  const context = await browser.newContext();
  const [first, second] = [await context.newPage(), await context.newPage()];
  for (const page of [first, second]) {
    await openPage(page, server.url);
    await page.getByTestId('play-clip').click();
    if (page === first) await page.locator('[data-flowing=true]').waitFor();
  }
  await second.getByTestId('take-over').click();
  await second.locator('[data-flowing=true]').waitFor();
  await first.getByText('The stream continues in another tab of this browser.').waitFor();
});

test('a client that waits is told how many have left', async () => {
  await using server = await startServer({ maxSessions: 1 });
  await server.app.ready();
  const inside = await StreamClient.open(server.streamUrl);
  const waiting = new WebSocket(server.streamUrl, 'millrace.v1');
  waiting.on('open', () => waiting.send(encodeMessage({ type: 'hello' })));
  await once(waiting, 'message');
  await using browser = await openBrowser();
  const page = await browser.newPage();
  await openPage(page, server.url);
  await page.getByTestId('source-clip').click();
  await page.getByText('Your place in the queue: 2').waitFor();
  waiting.close();
  await page.getByText('Your place in the queue: 1').waitFor();
  await page.getByText(/and one has left/).waitFor();
  inside.socket.close();
});

test('the page says Ready only when the server is, and what an old browser lacks', async () => {
  await using server = await startServer();
  await server.app.ready();
  await using browser = await openBrowser();
  const page = await browser.newPage();
  let ready = false;
  await page.route('**/readyz', (route) =>
    route.fulfill({ json: { ready, state: 'starting', doing: 'loading' } }),
  );
  await page.addInitScript(() => {
    Reflect.deleteProperty(HTMLVideoElement.prototype, 'requestVideoFrameCallback');
  });
  await page.goto(server.url);
  const status = page.getByTestId('status');
  await status.getByText('Warming up').waitFor();
  ready = true;
  await status.getByText('Ready').waitFor();
  await page.getByText('This browser lacks requestVideoFrameCallback, which this page needs.').waitFor();
});
