import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { servedPage } from '../support/served-page.js';

const served = servedPage();

interface Weighted {
  readonly weight: number;
  readonly text?: string;
  readonly seed?: number;
}

/** Returns the parts of a value in an address; none if it is a single one. */
function settingsOf(value: string): readonly Weighted[] {
  return value.startsWith('[') ? (JSON.parse(value) as Weighted[]) : [];
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
  const steps = page.locator('#parameter-steps-exact');
  await eventually(async () => assert.equal(await steps.inputValue(), '4'));
  await page.keyboard.press('a');

  /** Goes to a part of the way, and checks what the address then gets. */
  const at = async (share: string, check: (settings: URLSearchParams) => void): Promise<void> => {
    await page.getByTestId('morph').fill(share);
    await eventually(() => check(new URLSearchParams(new URL(page.url()).hash.slice(1))));
  };
  const parts = (settings: URLSearchParams, name: string): readonly string[] =>
    settingsOf(settings.get(name) ?? '').map(({ text, seed, weight }) => `${text ?? seed} ${weight}`);

  await at('0.25', (quarter) => {
    // The prompts of the first look keep their ratio.
    assert.deepEqual(parts(quarter, 'prompt'), ['oil 0.188', 'chalk 0.563', 'ink 0.25']);
    assert.deepEqual(parts(quarter, 'seed'), ['5 0.75', '9 0.25']);
    assert.equal(quarter.get('steps'), '2');
    assert.notEqual(quarter.get('width'), '512');
  });
  await at('0.75', (most) => {
    assert.deepEqual(parts(most, 'seed'), ['5 0.25', '9 0.75']);
    assert.equal(most.get('steps'), '3');
    assert.equal(most.get('width'), '512');
  });
  await at('1', (end) =>
    assert.deepEqual([end.get('prompt'), end.get('seed'), end.get('steps')], ['ink', '9', '4']),
  );
  await page.close();
});
