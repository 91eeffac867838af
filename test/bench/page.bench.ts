import type { Browser } from 'playwright-core';
import { launchBrowser } from '../support/launch-browser.js';
import { startServer } from '../support/server-process.js';
import { openOnce, type Opening } from './page/opening.js';
import { timeCamera, type Shown } from './page/timed-camera.js';
import { median, quantile, report, type Figure } from './report.js';
import { Contender } from './transport/contender.js';

/**
 * What a user of the page gets: `npm run bench -- page`. A headless Chromium without a GPU shares the CPU with the
 * server, whose engine is a pass-through (everything but the model) or the embedded model. The camera shows numbered
 * pictures; each number is read back from the output's canvas in the first animation frame in which it is there. The
 * time from the drawing of the source picture until that frame is the latency from glass to glass, but for that of a
 * camera and a screen.
 */
const openings = 5;
const warmUpMs = 5000;
const measuredMs = 20_000;
const figures: Figure[] = [];

async function measureStream(browser: Browser, url: string, what: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.addInitScript(timeCamera);
  await page.goto(`${url}/#prompt=oil+painting`);
  await page.getByTestId('use-camera').click();
  await page.locator('[data-flowing=true]').waitFor();
  await page.waitForTimeout(warmUpMs);
  await page.evaluate(() => {
    const { shown } = globalThis as unknown as { shown: Shown };
    shown.latencies.length = 0;
    shown.unread = 0;
    shown.received = 0;
  });
  await page.waitForTimeout(measuredMs);
  const { latencies, unread, received } = await page.evaluate(
    () => (globalThis as unknown as { shown: Shown }).shown,
  );
  const ownLatency = Number(await page.getByTestId('latency').textContent());
  await page.close();
  const pictures = latencies.length + unread;
  figures.push(
    { what: `${what}: glass to glass, p50`, value: median(latencies), unit: 'ms' },
    { what: `${what}: glass to glass, p95`, value: quantile(latencies, 0.95), unit: 'ms' },
    { what: `${what}: what the page says of itself, p50`, value: ownLatency, unit: 'ms' },
    { what: `${what}: pictures shown`, value: (pictures * 1000) / measuredMs, unit: '/s' },
    { what: `${what}: shown of the results received`, value: (100 * pictures) / received, unit: '%' },
    { what: `${what}: pictures whose number was unreadable`, value: (100 * unread) / pictures, unit: '%' },
  );
}

async function measureOpening(browser: Browser, url: string): Promise<void> {
  const opened: Opening[] = [];
  for (let i = 0; i < openings; i++) opened.push(await openOnce(browser, url));
  const of = (value: (one: Opening) => number): number => median(opened.map(value));
  figures.push(
    { what: 'first paint', value: of(({ firstPaintMs }) => firstPaintMs), unit: 'ms' },
    { what: 'first text or image', value: of(({ firstContentMs }) => firstContentMs), unit: 'ms' },
    { what: 'bytes loaded', value: of(({ bytes }) => bytes) / 1000, unit: 'kB' },
    {
      what: 'JavaScript, compressed by gzip',
      value: of(({ scriptBytes }) => scriptBytes) / 1000,
      unit: 'kB',
      goal: 'under 100',
    },
  );
}

await using browser = await launchBrowser();
{
  await using passThrough = await Contender.millrace('pictures');
  const url = `http://127.0.0.1:${passThrough.port}`;
  await measureOpening(browser, url);
  await measureStream(browser, url, 'pass-through');
}
{
  await using server = await startServer('--cache-directory', '');
  await measureStream(browser, server.url, 'embedded model');
}
report('page', figures);
