import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../support/browser.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

/** Opens a page that asks for a stream of a server whose only slot is taken. */
async function atFullServer(
  settings: { queueLength?: number },
  look: (page: Page, inside: StreamClient) => Promise<void>,
): Promise<void> {
  await using server = await startServer({ maxSessions: 1, ...settings });
  await server.app.ready();
  const inside = await StreamClient.open(server.streamUrl);
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.getByTestId('source-clip').click();
    await look(page, inside);
  } finally {
    await browser.close();
    inside.socket.close();
  }
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
    assert.equal(await page.getByTestId('status').textContent(), 'Waiting');
    inside.socket.close(1000);
    await page.getByTestId('status').filter({ hasText: 'Live' }).waitFor();
  });
});
