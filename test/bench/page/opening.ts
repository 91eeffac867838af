import type { Browser } from 'playwright-core';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../support/reference.js';

/** What opening the page cost, with nothing cached. */
export interface Opening {
  /** Milliseconds from the request until something was painted, and until a text or an image was. */
  readonly firstPaintMs: number;
  readonly firstContentMs: number;
  /** Bytes of all answers, with their headers. */
  readonly bytes: number;
  /** Bytes of the scripts, compressed by gzip. */
  readonly scriptBytes: number;
}

const files = join(repositoryRoot, 'clients/web/dist');

export async function openOnce(browser: Browser, url: string): Promise<Opening> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.goto(url, { waitUntil: 'networkidle' });
  const { paints, bytes, scripts } = await page.evaluate(() => {
    const resources = [
      ...performance.getEntriesByType('navigation'),
      ...performance.getEntriesByType('resource'),
    ] as PerformanceResourceTiming[];
    return {
      paints: performance.getEntriesByType('paint').map(({ name, startTime }) => [name, startTime] as const),
      bytes: resources.reduce((sum, { transferSize }) => sum + transferSize, 0),
      scripts: resources.map(({ name }) => new URL(name).pathname).filter((path) => path.endsWith('.js')),
    };
  });
  await context.close();
  const times = new Map(paints);
  return {
    firstPaintMs: times.get('first-paint') ?? NaN,
    firstContentMs: times.get('first-contentful-paint') ?? NaN,
    bytes,
    scriptBytes: scripts.reduce((sum, path) => sum + statSync(join(files, `${path}.gz`)).size, 0),
  };
}
