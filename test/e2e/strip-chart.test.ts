import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Locator } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { playClip, servedPage } from '../support/served-page.js';

const served = servedPage();

/** Returns, for each column of a canvas from the left, its different colours. */
async function columnsOf(strip: Locator): Promise<readonly (readonly string[])[]> {
  return strip.evaluate((canvas: HTMLCanvasElement) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height);
    const at = (x: number, y: number): string =>
      data.slice((y * width + x) * 4, (y * width + x) * 4 + 4).join();
    const columns = Array.from({ length: width }, (_, x) =>
      Array.from({ length: height }, (_, y) => at(x, y)),
    );
    return columns.map((column) => Array.from(new Set(column.filter((pixel) => !pixel.endsWith(',0')))));
  });
}

it('the strip chart shows the stages of the last minute, from the right, and starts anew with each stream', async () => {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 800 } });
  await playClip(page, served.url);
  const strip = page.getByTestId('strip');
  const drawn = async (): Promise<number> =>
    (await columnsOf(strip)).filter((colours) => colours.length > 0).length;
  const label = async (): Promise<string> => (await strip.getAttribute('aria-label')) ?? '';
  await eventually(async () => {
    const columns = await columnsOf(strip);
    assert.ok(
      (columns.at(-1)?.length ?? 0) >= 3,
      `colours of stages at the right: ${columns.at(-1)?.join(' ')}`,
    );
    assert.deepEqual(columns[0], [], 'nothing was measured a minute ago');
    assert.match(await label(), /last minute: at most [1-9]\d* ms$/);
  });
  const before = await drawn();
  await eventually(async () => assert.ok((await drawn()) > before, 'there are more columns'));
  await page.getByTestId('stop').click();
  await eventually(async () => {
    assert.match(await label(), /at most 0 ms$/);
    assert.equal(await drawn(), 0);
  });
  await page.close();
});
