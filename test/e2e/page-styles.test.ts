import type { Capabilities, Styles } from '@millrace/client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator } from 'playwright-core';
import { embeddedModel } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { servedPage } from '../support/served-page.js';

const served = servedPage({ model: embeddedModel });

/** Asserts that a field gets this value. */
async function assertValue(field: Locator, value: string, message?: string): Promise<void> {
  await eventually(async () => assert.equal(await field.inputValue(), value, message));
}

test('all styles and moods are cards with pictures, can be searched, and set what suits them', async () => {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(served.url);
  await page.getByTestId('open-styles').click();
  const cards = page.getByTestId('style-card');
  const { styles, moods } = (await (await fetch(`${served.url}/v1/styles`)).json()) as Styles;
  await cards.nth(styles.length + moods.length - 1).waitFor();
  assert.equal(await cards.count(), styles.length + moods.length);
  assert.equal(await cards.locator('img').count(), await cards.count(), 'each has a picture');
  const width = await cards
    .locator('img')
    .first()
    .evaluate(async (image: HTMLImageElement) => {
      await image.decode();
      return image.naturalWidth;
    });
  assert.equal(width, 256);

  const search = page.getByTestId('style-search');
  await search.fill('swirls paint');
  await eventually(async () => assert.equal(await cards.count(), 1));
  await cards.first().click();
  await assertValue(page.getByTestId('prompt'), 'van gogh painting');
  await assertValue(page.locator('#parameter-steps-exact'), '2');

  await search.fill('warm');
  await cards.filter({ hasText: 'Reds and yellows' }).click();
  await assertValue(page.getByTestId('prompt'), 'van gogh painting, warm colors');
  await search.fill('blueprint');
  await cards.first().click();
  await assertValue(page.getByTestId('prompt'), 'blueprint, warm colors', 'the mood stays');
  await assertValue(page.locator('#parameter-steps-exact'), '1');
  await search.fill('warm');
  await cards.filter({ hasText: 'Reds and yellows' }).click();
  await assertValue(page.getByTestId('prompt'), 'blueprint');

  await search.fill('a spaceship');
  await page.getByText('No style or mood fits "a spaceship".').waitFor();
  await search.press('Escape');
  await eventually(async () => assert.equal(await cards.count(), 0));
  const focused = page.locator(':focus');
  await eventually(async () => assert.equal(await focused.getAttribute('data-testid'), 'open-styles'));
  await page.close();
});

test('what is added to a performance suits the model: another style, the values that look good', async () => {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(`${served.url}/#prompt=neon+lights`);
  // The page knows all styles when their cards are there, which is later than the rest.
  await page.getByTestId('open-styles').click();
  await page.getByTestId('style-card').first().waitFor();
  await page.getByTestId('styles').press('Escape');
  await page.getByTestId('open-perform').click();
  for (let added = 1; added < 4; added += 1) await page.getByTestId('add-prompt').click();
  await eventually(async () => {
    const prompts = await page
      .getByTestId('mixed-text')
      .evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value));
    assert.equal(new Set(prompts).size, 4, prompts.join());
  });

  const { parameters } = (await (await fetch(`${served.url}/v1/capabilities`)).json()) as Capabilities;
  const [least, most] = parameters.properties.strength['x-useful'] ?? [];
  await page.getByTestId('add-route').click();
  await assertValue(page.getByTestId('route-from'), String(least));
  await assertValue(page.getByTestId('route-to'), String(most));
  const chosen = page.getByTestId('route-input').first().locator('option:checked');
  await eventually(async () => assert.equal(await chosen.textContent(), 'move a knob…'));
  await page.getByTestId('add-route').click();
  await eventually(async () => assert.equal(await chosen.textContent(), 'nothing yet'));
  await page.close();
});

test('cards and sliders of drawers can be read in forced colours', async () => {
  const page = await served.browser.newPage({
    forcedColors: 'active',
    viewport: { width: 1280, height: 844 },
  });
  await page.goto(`${served.url}/#prompt=neon+lights`);
  await page.getByTestId('open-styles').click();
  const card = page.locator('.style-card[aria-pressed=true]');
  const colours = await card.evaluate((one) =>
    [one, ...one.querySelectorAll('b, small')].map((part) => getComputedStyle(part).color),
  );
  assert.equal(new Set(colours).size, 1, colours.join());
  await page.getByTestId('styles').press('Escape');
  await page.getByTestId('open-perform').click();
  await page.getByTestId('add-prompt').click();
  const adjust = await page
    .getByTestId('cross-fade')
    .evaluate((slider) => getComputedStyle(slider).getPropertyValue('forced-color-adjust'));
  assert.equal(adjust, 'none', 'its colours are those of the sheet for forced colours');
  await page.close();
});
