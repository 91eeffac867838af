import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { openPage, playClip, servedPage } from '../support/served-page.js';

const served = servedPage();

/** Checks the page as it is now: the rules of WCAG 2.2 A and AA, and good practice. */
async function assertAccessible(page: Page, state: string): Promise<void> {
  // Not in the middle of a transition, where colours are between two.
  // What is removed meanwhile never finishes.
  await page.evaluate(async () => Promise.allSettled(document.getAnimations().map((each) => each.finished)));
  const { violations } = await page.evaluate(async () =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${help}: ${html.slice(0, 120)} ${any[0]?.message ?? ''}`),
  );
  assert.deepEqual(found, [], state);
}

async function open(path: string, colorScheme: 'dark' | 'light', width = 1280): Promise<Page> {
  const page = await served.browser.newPage({
    colorScheme,
    reducedMotion: 'reduce',
    viewport: { width, height: 844 },
  });
  await page.goto(`${served.url}${path}`);
  await page.evaluate(axe.source);
  return page;
}

for (const scheme of ['dark', 'light'] as const) {
  describe(`in the ${scheme} theme`, () => {
    it('the page is accessible in every state, with everything open', async () => {
      const page = await open('/', scheme);
      await page.getByTestId('status').filter({ hasText: 'Ready' }).waitFor();
      await assertAccessible(page, 'the invitation');
      await page.getByTestId('play-clip').click();
      await page.locator('[data-flowing=true]').waitFor();
      await page.getByTestId('more').click();
      await page.getByTestId('parameter-cfg_type').getByLabel('full').check();
      await assertAccessible(page, 'playing, with all parameters');
      await page.getByTestId('prompt').fill('x'.repeat(2010));
      await page.locator('#prompt-problem:not(:empty)').waitFor();
      await assertAccessible(page, 'a refused prompt');
      await page.getByTestId('prompt').fill('a fox');
      await page.getByTestId('projection').click();
      await page.getByTestId('wipe').waitFor();
      await assertAccessible(page, 'the menu of screens');
      await page.getByTestId('wipe').click();
      await page.getByTestId('line').waitFor();
      await assertAccessible(page, 'before and after');
      await page.getByTestId('share').click();
      await page.locator('.qr path[d]').waitFor();
      await assertAccessible(page, 'the links for viewers');
      await page.getByTestId('share-close').click();
      await page.locator('dialog.share').waitFor({ state: 'hidden' });
      await page.setViewportSize({ width: 390, height: 844 });
      await assertAccessible(page, 'on a phone');
      await page.keyboard.press('f');
      await page.locator('.app[data-view=full]').waitFor();
      await assertAccessible(page, 'the output in the whole window');
      await page.keyboard.press('h');
      await page.locator('.app[data-bare=true]').waitFor();
      await assertAccessible(page, 'the output alone');
      await page.close();
    });

    it('the dashboard is accessible', async () => {
      const page = await open('/dashboard', scheme);
      await page.getByTestId('tile-users').waitFor();
      await page.getByTestId('plot').first().waitFor();
      await assertAccessible(page, 'the dashboard');
      await page.getByTestId('drain').click();
      await page.getByTestId('drain-now').waitFor();
      await assertAccessible(page, 'the question before draining');
      await page.close();
    });
  });
}

it('the page of a link for viewers is accessible', async () => {
  const page = await open('/view/nobody?key=none', 'dark');
  await page.getByText('The link is damaged').waitFor();
  await assertAccessible(page, 'an invalid link');
  await page.close();
});

it('pressed buttons can be told apart in forced colours', async () => {
  const page = await served.browser.newPage({ forcedColors: 'active', reducedMotion: 'reduce' });
  await openPage(page, served.url);
  await page.getByTestId('source-clip').click();
  await page.locator('[data-testid=source-clip][aria-pressed=true]').waitFor();
  const [pressed, highlight] = await page.getByTestId('source-clip').evaluate((button) => {
    const { backgroundColor } = getComputedStyle(button);
    button.style.background = 'Highlight';
    button.removeAttribute('aria-pressed');
    return [backgroundColor, getComputedStyle(button).backgroundColor];
  });
  assert.equal(pressed, highlight);
  await page.close();
});

it('dialogs over the picture have the colours of the theme', async () => {
  const page = await open('/', 'light');
  await playClip(page, served.url);
  await page.getByTestId('share').click();
  const dialog = page.locator('dialog.share');
  await dialog.waitFor();
  const ground = await dialog.evaluate((dialog) => getComputedStyle(dialog).backgroundColor);
  assert.equal(ground, 'rgb(255, 255, 255)');
  await page.close();
});
