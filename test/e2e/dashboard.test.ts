import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { motionJpegFrames } from '../support/frames.js';
import { watchProblems } from '../support/served-page.js';
import { startServer as startWithTinyModel } from '../support/server.js';
import { startServer, type ServerProcess } from '../support/server-process.js';
import { StreamClient } from '../support/stream-client.js';

const frames = motionJpegFrames('walkers.mjpeg');
const prompt = 'neon outlines of a lonely street';

let browser: TestBrowser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser.close());

interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings in the browser's console, such as a breach of the content security policy. */
  readonly problems: readonly string[];
}

async function openDashboard(url: string, width = 1280): Promise<OpenPage> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  const problems = watchProblems(page);
  await page.goto(`${url}/dashboard`);
  return { page, problems, [Symbol.asyncDispose]: () => page.close() };
}

/** Opens a client that sends pictures as fast as they are generated, until disposed. */
async function stream({ url }: ServerProcess): Promise<AsyncDisposable & { readonly client: StreamClient }> {
  const client = await StreamClient.open(`${url.replace('http', 'ws')}/v1/stream`, { prompt });
  const stop = new AbortController();
  const sending = (async (): Promise<void> => {
    for (let id = 0; !stop.signal.aborted; id++) {
      const frame = frames[id % frames.length];
      if (frame) await client.generate(id, frame);
    }
  })();
  return {
    client,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await sending;
      await client[Symbol.asyncDispose]();
    },
  };
}

/** Returns the methods of the requests by which a page changes something from now on. */
function changesFrom(page: Page): readonly string[] {
  const methods: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') methods.push(request.method());
  });
  return methods;
}

/** Returns the content of the plot with this index as a data URL. */
async function drawing(page: Page, plot: number): Promise<string> {
  return page
    .getByTestId('plot')
    .nth(plot)
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
}

describe('the dashboard', () => {
  it('shows a running stream: numbers, curves, its row and its picture, but not its prompt', async () => {
    await using server = await startServer('--dashboard-thumbnails');
    await using flowing = await stream(server);
    await using open = await openDashboard(server.url);
    const { page, problems } = open;

    const row = page.getByTestId('session');
    // Frames in and out, and their latency.
    await row.filter({ hasText: /active[\d.]+ fps(?!0\.0)[\d.]+ fps[\d.]+ m?s/ }).waitFor();
    assert.equal(await row.count(), 1);
    const id = flowing.client.all('ready')[0]?.session;
    assert.equal(await row.locator('code').getAttribute('title'), id);
    await page
      .getByTestId('tile-fps')
      .filter({ hasText: /[1-9][\d.]* fps/ })
      .waitFor();
    await eventually(async () => {
      assert.match((await page.getByTestId('tile-users').textContent()) ?? '', /Users1 of \d/);
      assert.equal(await page.getByTestId('plot').count(), 13);
    });
    const before = [await row.textContent(), await drawing(page, 0), await drawing(page, 3)];
    await eventually(async () => {
      assert.notEqual(await row.textContent(), before[0]);
      assert.ok((await drawing(page, 0)) !== before[1], 'the first plot goes on');
      assert.ok((await drawing(page, 3)) !== before[2], 'the fourth plot goes on');
    });
    const thumbnail = page.getByTestId('thumbnail');
    await eventually(async () =>
      assert.equal(await thumbnail.evaluate((image: HTMLImageElement) => image.naturalWidth), 256),
    );

    assert.doesNotMatch((await page.locator('body').textContent()) ?? '', /127\.0\.0\.1|\d chars|lonely/);
    await page.getByTestId('personal').check();
    const shown = new RegExp(`${prompt.length} chars127\\.0\\.0\\.1`);
    await eventually(async () => assert.match((await row.textContent()) ?? '', shown));

    await page.setViewportSize({ width: 390, height: 844 });
    await eventually(async () => {
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
      const tile = await page.getByTestId('tile-users').boundingBox();
      assert.ok(tile !== null && tile.y < 200 && tile.width > 150);
    });
    await row.scrollIntoViewIfNeeded();
    await eventually(async () => {
      const cell = await row.getByText('256 × 256').boundingBox();
      assert.ok(cell !== null && cell.x >= 0 && cell.x + cell.width <= 390);
    });
    assert.deepEqual(problems, []);
  });

  it('shows a session that lost its connection as parked', async () => {
    await using server = await startWithTinyModel({ graceSeconds: 300 });
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, { width: 64, height: 64 });
    client.socket.terminate();
    await using open = await openDashboard(server.url);
    const { page, problems } = open;
    const row = page.getByTestId('session').filter({ hasText: 'parked' });
    await row.waitFor();
    assert.match((await row.textContent()) ?? '', /parked–+64 × 64/);
    assert.deepEqual(problems, []);
  });

  it('ends one session after a confirmation', async () => {
    await using server = await startWithTinyModel();
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, { width: 64, height: 64 });
    await using open = await openDashboard(server.url);
    const { page, problems } = open;
    const requests = changesFrom(page);
    await page.getByTestId('end').click();
    await page.getByTestId('end-now').waitFor();
    assert.deepEqual(client.all('error'), []);
    await page.getByTestId('end-now').click();
    assert.equal((await client.closed).code, 4410);
    await page.getByText('No sessions.').waitFor();
    assert.match((await page.getByTestId('window').textContent()) ?? '', /the last 12 seconds/);
    assert.deepEqual(requests, ['DELETE'], 'one click asks, and the other ends it');
    assert.deepEqual(problems, []);
  });

  it('drains the server after a confirmation', async () => {
    await using server = await startWithTinyModel({ drainSeconds: 1 });
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, { width: 64, height: 64 });
    await using open = await openDashboard(server.url);
    const { page, problems } = open;
    const requests = changesFrom(page);
    await page.getByTestId('drain').click();
    await page.getByTestId('drain-now').waitFor();
    assert.deepEqual(client.all('drain'), []);
    await page.getByTestId('drain-now').click();
    await client.first('drain');
    await page.getByTestId('state').filter({ hasText: 'Draining' }).waitFor();
    await page.getByTestId('drain').waitFor({ state: 'detached' });
    assert.deepEqual(requests, ['POST'], 'one click asks, and the other drains');
    assert.deepEqual(problems, []);
  });

  it('asks for the metrics token, and shows the drain button only to admins', async () => {
    await using server = await startWithTinyModel({ metricsToken: 'of-metrics', adminToken: 'of-the-admin' });
    await server.app.ready();
    await using open = await openDashboard(server.url);
    const { page } = open;
    const signIn = async (token: string): Promise<void> => {
      await page.getByTestId('token').fill(token);
      await page.getByTestId('token').press('Enter');
    };
    await page.getByTestId('token').waitFor();
    assert.equal(await page.getByTestId('plot').count(), 0);
    await signIn('of-metrics');
    await page.getByTestId('tile-users').waitFor();
    assert.equal(await page.getByTestId('drain').count(), 0);
    await page.getByTestId('rise').click();
    await signIn('of-the-admin');
    await page.getByTestId('drain').waitFor();
    await page.getByTestId('token').waitFor({ state: 'detached' });
  });
});
