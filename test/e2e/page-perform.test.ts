import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { pretendDrum, pretendGamepad, pretendMidi } from '../support/pretended-devices.js';
import { servedPage } from '../support/served-page.js';

const served = servedPage();

interface Prompted {
  readonly text: string;
  readonly weight: number;
}

/** Waits until the address has a prompt that is as wanted. */
async function untilPrompt(page: Page, isWanted: (prompts: readonly Prompted[]) => boolean): Promise<void> {
  await eventually(() => {
    const prompt = new URLSearchParams(new URL(page.url()).hash.slice(1)).get('prompt') ?? '';
    assert.ok(prompt.startsWith('[') && isWanted(JSON.parse(prompt) as Prompted[]), `it has ${prompt}`);
  });
}

/** Opens the drawer of a page that shows no video: what is set is seen in its fields and its address. */
async function openPerform(hash = '', prepare?: (page: Page) => Promise<unknown>): Promise<Page> {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 900 } });
  await prepare?.(page);
  await page.goto(`${served.url}/${hash}`);
  await page.locator('#parameter-strength-exact').waitFor();
  await page.keyboard.press('p');
  return page;
}

/** Asserts that a field gets this value. */
async function gets(field: Locator, value: string, message?: string): Promise<void> {
  await eventually(async () => assert.equal(await field.inputValue(), value, message));
}

/** Asserts that the field of the strength gets this value. */
async function shows(page: Page, value: string): Promise<void> {
  await gets(page.locator('#parameter-strength-exact'), value);
}

/** Waits until the strength is between these values. */
async function reaches(page: Page, low: number, high: number): Promise<void> {
  await page.waitForFunction(
    ([low = 0, high = 0]) => {
      const field = document.querySelector<HTMLInputElement>('#parameter-strength-exact');
      return field !== null && field.valueAsNumber > low && field.valueAsNumber < high;
    },
    [low, high],
  );
}

test('up to four prompts are mixed by their weights, by a cross-fade and by timed fades', async () => {
  const page = await openPerform('#prompt=oil');
  for (const text of ['ink', 'neon', 'chalk']) {
    await page.getByTestId('add-prompt').click();
    await page.getByTestId('mixed-text').last().fill(text);
    await page.keyboard.press('Tab');
  }
  await page.getByTestId('add-prompt').waitFor({ state: 'detached' });
  await page.getByTestId('cross-fade').fill('1.5');
  await untilPrompt(page, (all) => all.map(({ weight }) => weight).join() === '0,0.5,0.5,0');
  await page.getByTestId('mixed-weight').first().fill('0.25');
  await untilPrompt(page, ([oil]) => oil?.text === 'oil' && oil.weight === 0.25);

  await page.getByTestId('transition-length').fill('0.3');
  await page.getByTestId('fade-to').nth(3).click();
  await untilPrompt(page, (all) => all.map(({ weight }) => weight).join() === '0,0,0,1');
  await page.locator('body').press(',');
  await untilPrompt(page, (all) => all[2]?.weight === 0.1 && all[3]?.weight === 0.9);
  for (let i = 0; i < 3; i += 1) await page.getByTestId('remove-prompt').first().click();
  await eventually(async () => {
    assert.equal(new URL(page.url()).hash, '#prompt=chalk');
    assert.equal(await page.getByTestId('mixed').count(), 1);
  });
  await page.close();
});

test('the beat that is tapped is the length of transitions in beats', async () => {
  const page = await served.browser.newPage();
  await page.clock.install();
  await page.goto(served.url);
  await page.getByTestId('open-perform').click();
  await page.clock.pauseAt(Date.now() + 60_000);
  for (let i = 0; i < 5; i += 1) {
    await page.keyboard.press('t');
    await page.clock.runFor(600);
  }
  await page.clock.resume();
  await page.getByTestId('tap').getByText('100 a minute').waitFor();
  await page.getByTestId('add-prompt').click();
  await page.getByTestId('in-beats').click();
  const fade = page.getByTestId('fade-to').first();
  await eventually(async () => assert.equal(await fade.getAttribute('title'), 'Fade to it in 2.4 s'));
  await page.close();
});

test('a look morphs into another, and leaves a locked seed as it is', async () => {
  const page = await openPerform('#prompt=oil&strength=0.2&seed=5');
  await page.keyboard.press('a');
  await page.evaluate(() => (location.hash = '#prompt=ink&strength=0.8&seed=9'));
  await shows(page, '0.8');
  await page.keyboard.press('a');
  await page.getByTestId('morph').fill('0.5');
  await untilPrompt(page, (all) => all.map(({ text, weight }) => text + weight).join() === 'oil0.5,ink0.5');
  await shows(page, '0.5');
  await page.getByTestId('transition-length').fill('0.3');
  await page.getByTestId('morph-go').click();
  await page.waitForFunction(() => location.hash.includes('prompt=oil'));
  await shows(page, '0.2');
  const seed = page.getByTestId('shuffle');
  await eventually(async () => assert.equal(await seed.textContent(), ' 5'));

  await page.locator('body').press('l');
  await page.locator('body').press('2');
  await shows(page, '0.8');
  assert.equal(await seed.textContent(), ' 5');
  await page.locator('body').press('x');
  await page.waitForFunction(() => !/seed=[59]$/.test(location.hash));
  await page.close();
});

test('what was set is undone and redone, a slider that moved as one step', async () => {
  const page = await openPerform();
  const before = await page.locator('#parameter-strength-exact').inputValue();
  const steps = page.locator('#parameter-steps-exact');
  const stepsBefore = await steps.inputValue();
  assert.notEqual(stepsBefore, '3');
  const undo = page.getByTestId('undo');
  const isDisabled = (button: Locator): Promise<void> =>
    eventually(async () => assert.ok(await button.isDisabled(), 'there is no further step'));
  assert.ok(await undo.isDisabled());
  await page.locator('#parameter-strength-exact').evaluate((field: HTMLInputElement) => {
    for (const value of ['0.6', '0.7', '0.75']) {
      field.value = value;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
  });
  // Longer than the pause between two steps.
  await page.waitForTimeout(1500);
  await steps.fill('3');
  await undo.click();
  await gets(steps, stepsBefore);
  await shows(page, '0.75');
  await page.locator('body').press('Control+z');
  await shows(page, before);
  await isDisabled(undo);
  await page.locator('body').press('y');
  await page.locator('body').press('y');
  await shows(page, '0.75');
  await gets(steps, '3');
  await isDisabled(page.getByTestId('redo'));
  await page.close();
});

test('all keys are shown by one, and are letters while a text is typed', async () => {
  const page = await openPerform();
  await page.locator('body').press('?');
  const keys = page.getByTestId('keys');
  await keys.getByText('Save a picture').waitFor();
  const shown = await keys.locator('kbd').allTextContents();
  assert.ok(shown.length > 0);
  assert.equal(new Set(shown).size, shown.length);
  await page.keyboard.press('Escape');
  await keys.waitFor({ state: 'hidden' });
  await page.locator('body').press('/');
  await page.keyboard.type('xylophone?');
  const prompt = page.getByTestId('prompt');
  await eventually(async () => assert.match(await prompt.inputValue(), /xylophone\?$/));
  assert.ok(await keys.isHidden());
  await page.close();
});

test('a knob of a MIDI device is learned and moves a parameter within its bounds', async () => {
  const page = await openPerform('', (page) => page.addInitScript(pretendMidi));
  const turn = (...data: number[]): Promise<void> =>
    page.evaluate(
      (data) => (globalThis as unknown as { turn: (...data: number[]) => void }).turn(...data),
      data,
    );
  await page.getByTestId('midi').click();
  await page.locator('[data-testid=midi][aria-pressed=true]').waitFor();
  await page.getByTestId('add-route').click();
  await page.getByTestId('route-parameter').selectOption({ label: 'Strength' });
  await page.getByTestId('route-from').fill('0.2');
  await page.getByTestId('route-to').fill('0.6');
  await turn(0xb0, 7, 64);
  await turn(0xb1, 74, 10);
  await turn(0xb1, 74, 127);
  await gets(page.getByTestId('route-input'), 'midi 2:74');
  await shows(page, '0.6');
  await turn(0xb1, 74, 0);
  await shows(page, '0.2');
  await turn(0xb0, 7, 127);
  // The slider is drawn with what moves it, before the field.
  const slider = page.locator('#parameter-strength');
  assert.equal(await slider.inputValue(), '0.2', 'another knob moves nothing');
  await page.reload();
  await page.locator('#parameter-strength-exact').waitFor();
  await page.keyboard.press('p');
  await gets(page.getByTestId('route-input'), 'midi 2:74', 'this browser keeps it');
  await page.close();
});

test('a stick or a button of a gamepad is learned and moves a parameter', async () => {
  const page = await openPerform('', (page) => page.addInitScript(pretendGamepad));
  const move = (stick: number, button: number): Promise<void> =>
    page.evaluate(
      ([stick = 0, button = 0]) =>
        (globalThis as unknown as { move: (stick: number, button: number) => Promise<void> }).move(
          stick,
          button,
        ),
      [stick, button],
    );
  const input = page.getByTestId('route-input');
  await page.getByTestId('add-route').click();
  await page.getByTestId('route-parameter').selectOption({ label: 'Strength' });
  await page.getByTestId('route-from').fill('0.2');
  await page.getByTestId('route-to').fill('0.6');
  // A stick passes all places on its way.
  for (const stick of [0.2, 0.6, 1]) await move(stick, 0);
  await shows(page, '0.6');
  await gets(input, 'gamepad 1 axis 2');
  await move(-1, 0);
  await shows(page, '0.2');
  await move(0, 0);
  await shows(page, '0.4');
  await input.selectOption('learn');
  await move(0, 1);
  await shows(page, '0.6');
  await gets(input, 'gamepad 1 key 1');
  await move(0, 0);
  await shows(page, '0.2');
  await page.close();
});

test('the level of the microphone moves a parameter, whose own value stays in the address', async () => {
  const page = await openPerform('#strength=0.5');
  await page.getByTestId('add-route').click();
  await page.getByTestId('route-parameter').selectOption({ label: 'Strength' });
  await page.getByTestId('route-input').selectOption('microphone level');
  await page.getByTestId('microphone').click();
  // The browser's test sound is a beep each second.
  await reaches(page, 0.6, 2);
  await reaches(page, -1, 0.4);
  assert.match(page.url(), /strength=0\.5$/);
  await page.getByTestId('microphone').click();
  await shows(page, '0.5');
  await page.close();
});

test('a beat that the microphone hears moves a parameter to its end and back', async () => {
  const page = await openPerform('#strength=0.5', (page) => page.addInitScript(pretendDrum));
  await page.getByTestId('add-route').click();
  await page.getByTestId('route-parameter').selectOption({ label: 'Strength' });
  await page.getByTestId('route-input').selectOption('microphone beat');
  await page.getByTestId('microphone').click();
  for (let beat = 0; beat < 3; beat += 1) {
    await reaches(page, 0.9, 2);
    await reaches(page, -1, 0.4);
  }
  await page.getByTestId('remove-route').click();
  await shows(page, '0.5');
  await page.close();
});
