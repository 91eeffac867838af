import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { servedPage } from '../support/served-page.js';

const served = servedPage();

/** Opens the performer of a page whose clock stands still, at a beat that lasts 1500 ms. */
async function openAtBeat(): Promise<Page> {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.clock.install();
  await page.goto(`${served.url}/#strength=0.5`);
  await page.locator('#parameter-strength-exact').waitFor();
  await page.getByTestId('open-perform').click();
  await page.clock.pauseAt(Date.now() + 60_000);
  await page.keyboard.press('t');
  await page.clock.runFor(1500);
  await page.keyboard.press('t');
  return page;
}

test('a transition in beats begins at the next beat', async () => {
  const page = await openAtBeat();
  await page.getByTestId('in-beats').click();
  await page.getByTestId('transition-length').fill('0');
  await page.getByTestId('add-prompt').click();
  await page.clock.runFor(200);
  const isAt = (position: string, message?: string): Promise<void> =>
    eventually(async () =>
      assert.equal(await page.getByTestId('cross-fade').inputValue(), position, message),
    );
  await isAt('0');
  await page.getByTestId('fade-to').nth(1).click();
  await page.clock.runFor(1200);
  await isAt('0');
  await page.clock.runFor(200);
  await isAt('1');
  await page.getByTestId('in-seconds').click();
  await page.getByTestId('fade-to').nth(0).click();
  await page.clock.runFor(50);
  await isAt('0', 'in seconds it begins at once');
  await page.close();
});

test('a wave of eight beats moves a parameter there and back', async () => {
  const page = await openAtBeat();
  await page.getByTestId('add-route').click();
  await page.getByTestId('route-parameter').selectOption({ label: 'Strength' });
  await page.getByTestId('route-from').fill('0.2');
  await page.getByTestId('route-to').fill('0.6');
  await page.getByTestId('route-input').selectOption('wave');
  const strength = async (): Promise<number> =>
    Number(await page.locator('#parameter-strength-exact').inputValue());
  const near = (value: number): Promise<void> =>
    eventually(async () => {
      const found = await strength();
      assert.ok(Math.abs(found - value) < 0.03, `${found}, not about ${value}`);
    });
  for (const [beats, value] of [
    [2, 0.4],
    [2, 0.6],
    [2, 0.4],
    [2, 0.2],
  ] as const) {
    await page.clock.runFor(beats * 1500);
    await near(value);
  }
  assert.match(page.url(), /strength=0\.5$/, 'what was set stays in the address');
  await page.close();
});
