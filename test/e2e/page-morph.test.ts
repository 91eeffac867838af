import assert from 'node:assert/strict';
import { test } from 'node:test';
import { servedPage } from '../support/served-page.js';

const served = servedPage();

interface Weighted {
  readonly weight: number;
  readonly text?: string;
  readonly seed?: number;
}

test('between two looks numbers, prompts and seeds are blended, and the size changes in the middle', async () => {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 900 } });
  const several = JSON.stringify([
    { text: 'oil', weight: 1 },
    { text: 'chalk', weight: 3 },
  ]);
  const first = `#prompt=${encodeURIComponent(several)}&seed=5&steps=1&width=256`;
  await page.goto(`${served.url}/${first}`);
  await page.locator('#parameter-strength-exact').waitFor();
  await page.keyboard.press('p');
  await page.keyboard.press('a');
  await page.evaluate(() => (location.hash = '#prompt=ink&seed=9&steps=4&width=512'));
  await page.waitForFunction(
    () => document.querySelector<HTMLInputElement>('#parameter-steps-exact')?.value === '4',
  );
  await page.keyboard.press('a');

  /** Goes to a part of the way. @returns what the address then has. */
  const at = async (share: string): Promise<URLSearchParams> => {
    const before = page.url();
    await page.getByTestId('morph').fill(share);
    await page.waitForFunction((before) => location.href !== before, before);
    return new URLSearchParams(new URL(page.url()).hash.slice(1));
  };
  const parts = (settings: URLSearchParams, name: string): readonly string[] =>
    (JSON.parse(settings.get(name) ?? '[]') as Weighted[]).map(
      ({ text, seed, weight }) => `${text ?? seed} ${weight}`,
    );

  const quarter = await at('0.25');
  // The prompts of the first look keep their ratio.
  assert.deepEqual(parts(quarter, 'prompt'), ['oil 0.188', 'chalk 0.563', 'ink 0.25']);
  assert.deepEqual(parts(quarter, 'seed'), ['5 0.75', '9 0.25']);
  assert.equal(quarter.get('steps'), '2');
  assert.notEqual(quarter.get('width'), '512');
  const most = await at('0.75');
  assert.deepEqual(parts(most, 'seed'), ['5 0.25', '9 0.75']);
  assert.equal(most.get('steps'), '3');
  assert.equal(most.get('width'), '512');
  const end = await at('1');
  assert.deepEqual([end.get('prompt'), end.get('seed'), end.get('steps')], ['ink', '9', '4']);
  await page.close();
});
