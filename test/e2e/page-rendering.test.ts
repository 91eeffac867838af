import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { playClip, servedPage } from '../support/served-page.js';

const served = servedPage();

/** Opens a page whose renderings seem to be this far apart, and plays the clip. */
async function playAt(intervalMs: number): Promise<Page> {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.addInitScript((intervalMs) => {
    let renderings = 0;
    const waiting: FrameRequestCallback[] = [];
    const render = (): void => {
      renderings += 1;
      for (const callback of waiting.splice(0)) callback(renderings * intervalMs);
    };
    Object.assign(globalThis, {
      countRenderings: () => renderings,
      requestAnimationFrame: (callback: FrameRequestCallback) => {
        // All that wait for a rendering get the same one.
        if (waiting.push(callback) === 1) setTimeout(render, 1);
      },
    });
  }, intervalMs);
  await playClip(page, served.url);
  return page;
}

/** Returns how often the page seems to have been rendered. */
function countRenderings(): number {
  return (globalThis as unknown as { countRenderings: () => number }).countRenderings();
}

test('a browser that renders slowly draws the pictures without glow and shadows', async () => {
  const page = await playAt(40);
  await page.locator('.stage[data-plain=true]').waitFor();
  assert.equal(await page.locator('.glow').count(), 0);
  const shadow = await page.locator('.pane.output').evaluate((pane) => getComputedStyle(pane).boxShadow);
  assert.doesNotMatch(shadow, /50px/);
  await page.close();
});

test('one that renders at the pace of its screen keeps them', async () => {
  const page = await playAt(1000 / 60);
  // It measures from the first picture on: fewer renderings than these.
  const before = await page.evaluate(countRenderings);
  await page.waitForFunction(
    (enough) => (globalThis as unknown as { countRenderings: () => number }).countRenderings() > enough,
    before + 200,
  );
  assert.equal(await page.locator('.stage[data-plain=false]').count(), 1);
  assert.equal(await page.locator('.glow').count(), 1);
  await page.close();
});
