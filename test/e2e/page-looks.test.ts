import { formatLooks, mostLooks, parseLooks } from '@millrace/protocol';
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { playClip, servedPage } from '../support/served-page.js';

const served = servedPage();

/** Asserts that the controls get these values. */
async function assertSettings(page: Page, wanted: readonly string[]): Promise<void> {
  const fields = ['#prompt', '#parameter-strength-exact', '#parameter-seed'];
  await eventually(async () =>
    assert.deepEqual(await Promise.all(fields.map((field) => page.locator(field).inputValue())), wanted),
  );
}

async function set(page: Page, [prompt, strength, seed]: readonly [string, string, string]): Promise<void> {
  // The field of the prompt is there before those of parameters, and then gets the prompt of the model.
  await page.locator('#parameter-seed').waitFor({ state: 'attached' });
  await page.getByTestId('prompt').fill(prompt);
  await page.getByTestId('prompt').press('Enter');
  await page.locator('#parameter-strength-exact').fill(strength);
  await page.locator('details.more').evaluate((more: HTMLDetailsElement) => (more.open = true));
  await page.locator('#parameter-seed').fill(seed);
}

/** Waits until the drawer shows so many looks: they are read, and their pictures made, after the click. */
async function waitForLooks(page: Page, count: number): Promise<void> {
  await eventually(async () => assert.equal(await page.getByTestId('look').count(), count));
}

/** Returns the bytes of the file that the page saves. */
async function saved(page: Page, act: () => Promise<void>): Promise<{ name: string; bytes: Buffer }> {
  const [file] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

/** Drops a file on the page, as from a folder of the computer. */
async function drop(page: Page, name: string, type: string, bytes: Buffer): Promise<void> {
  await page.evaluate(
    ({ name, type, base64 }) => {
      const data = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([data], name, { type }));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    },
    { name, type, base64: bytes.toString('base64') },
  );
}

const night = ['neon lights & rain', '0.6', '7'] as const;
const day = ['watercolor', '0.3', '9'] as const;

test('the address has all settings, this browser keeps them, and the address wins', async () => {
  const context = await served.browser.newContext();
  const page = await context.newPage();
  await page.goto(`${served.url}/#other=1`);
  await set(page, night);
  await eventually(() => assert.match(page.url(), /seed=7/));
  const link = page.url();
  assert.match(link, /other=1/, 'what others put there stays');

  const next = await context.newPage();
  await next.goto(served.url);
  await next.waitForFunction(() => location.hash.includes('seed=7'));
  await assertSettings(next, night);
  await set(next, day);
  await next.waitForFunction(() => location.hash.includes('seed=9'));

  await page.goto('about:blank');
  await page.goto(link);
  await assertSettings(page, night);
  await page.evaluate(() => (location.hash = '#steps=3'));
  await eventually(async () => {
    const [seed, steps] = [page.locator('#parameter-seed'), page.locator('#parameter-steps-exact')];
    assert.notEqual(await seed.inputValue(), '7', 'a new address replaces what was set');
    assert.equal(await steps.inputValue(), '3');
  });
  await page.getByRole('button', { name: 'Reset everything' }).click();
  await page.waitForFunction(() => !location.hash.includes('steps'));
  await context.close();
});

test('looks are saved, recalled, renamed, written to a file, removed and read from the file', async () => {
  const page = await served.browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  await playClip(page, served.url);
  await set(page, night);
  await page.getByTestId('open-looks').click();
  await page.getByTestId('save-look').click();
  await page.getByTestId('look').locator('img').waitFor();
  await page.getByTestId('look-name').fill('Night');
  await page.getByTestId('look-name').press('Enter');
  await set(page, day);
  await page.getByTestId('save-look').click();
  const looks = page.getByTestId('look');
  await waitForLooks(page, 2);
  await page.getByTestId('use-look').first().click();
  await assertSettings(page, night);

  const { name, bytes } = await saved(page, () => page.getByTestId('save-looks-file').click());
  assert.match(name, /^millrace-.*\.json$/);
  const [first, second] = parseLooks(bytes.toString());
  assert.deepEqual([first?.name, second?.name], ['Night', 'Look 1']);
  assert.equal(first?.parameters.prompt, night[0]);
  assert.equal(first.parameters.strength, 0.6);

  await page.reload();
  await page.getByTestId('open-looks').click();
  // This browser keeps them.
  await waitForLooks(page, 2);
  await page.getByTestId('remove-look').first().click();
  await page.getByTestId('remove-look').first().click();
  await waitForLooks(page, 0);
  await drop(page, 'looks.json', 'application/json', bytes);
  await waitForLooks(page, 2);

  const many = Array.from({ length: mostLooks }, (_, i) => ({ name: `Many ${i}`, parameters: {} }));
  await drop(page, 'many.json', 'application/json', Buffer.from(formatLooks(many)));
  await looks.nth(mostLooks + 1).waitFor();
  await page.reload();
  await page.getByTestId('open-looks').click();
  // More than a file may have are not kept.
  await waitForLooks(page, 2);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a saved picture has its look in it, which is loaded when the picture is dropped on the page', async () => {
  const page = await served.browser.newPage();
  await playClip(page, served.url);
  await set(page, night);
  const { name, bytes } = await saved(page, () => page.getByTestId('save').click());
  assert.match(name, /\.png$/);
  assert.ok(
    bytes.includes('iTXtmillrace\0') && bytes.includes('iTXtDescription\0\0\0\0\0neon lights & rain'),
  );
  await set(page, day);
  await drop(page, name, 'image/png', bytes);
  await assertSettings(page, night);

  const notice = page.locator('.notice');
  await drop(page, 'notes.txt', 'text/plain', Buffer.from('neon'));
  await notice.getByText('neither a video, nor a picture').waitFor();
  await drop(page, 'bad.json', 'application/json', Buffer.from('{"version":2,"looks":[]}'));
  await notice.getByText('bad.json: the version of a file of looks must be 1, not 2').waitFor();
  await assertSettings(page, night);
  await page.close();
});

test('the output is recorded with a timer, and with the microphone if wanted', async () => {
  const page = await served.browser.newPage();
  await playClip(page, served.url);
  const button = page.getByTestId('record');
  const record = async (): Promise<Buffer> => {
    await button.click();
    await button.getByText(/0:0[1-9]/).waitFor();
    const { name, bytes } = await saved(page, () => button.click());
    assert.match(name, /\.(webm|mp4)$/);
    assert.equal(await page.getByRole('timer').count(), 0);
    return bytes;
  };
  const silent = await record();
  assert.ok(silent.length > 1000, `${silent.length} bytes`);
  assert.ok(!silent.includes('A_OPUS'));
  await page.getByTestId('open-looks').click();
  await page.getByTestId('with-sound').check();
  assert.ok((await record()).includes('A_OPUS'));
  await page.close();
});
