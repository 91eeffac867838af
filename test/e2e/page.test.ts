import type { Capabilities } from '@millrace/client';
import { canHaveEffect, hasEffect } from '@millrace/protocol';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { embeddedModel } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer as startAny, type TestServer } from '../support/server.js';
import { openPage, watchProblems } from '../support/served-page.js';

const notVideo = join(repositoryRoot, 'package.json');
const video = join(repositoryRoot, 'test/fixtures/videos/tree.webm');

let server: TestServer;
let browser: TestBrowser;
const closing: (() => PromiseLike<void>)[] = [];

/** Starts a server with the embedded model, and waits until it is ready. */
async function startServer(port = 0): Promise<TestServer> {
  const started = await startAny({ model: embeddedModel, port });
  await started.app.ready();
  return started;
}

before(async () => {
  server = await startServer();
  closing.push(() => server[Symbol.asyncDispose]());
  browser = await openBrowser();
  closing.push(() => browser.close());
});

after(async () => {
  await Promise.all(closing.map((close) => close()));
});

interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings in the browser's console. */
  readonly problems: readonly string[];
}

/** @param drawDelay milliseconds by which each picture is delayed, to imitate a slow machine. */
async function open(url = server.url, drawDelay = 0): Promise<OpenPage> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  if (drawDelay > 0) await page.addInitScript(drawLate, drawDelay);
  const problems = watchProblems(page);
  await openPage(page, url);
  return { page, problems, [Symbol.asyncDispose]: () => page.close() };
}

function drawLate(delay: number): void {
  const create = globalThis.createImageBitmap.bind(globalThis);
  let drawing = 0;
  const late = async (image: ImageBitmapSource): Promise<ImageBitmap> => {
    drawing += 1;
    await new Promise((resolve) => setTimeout(resolve, delay));
    const drawn = await create(image);
    drawing -= 1;
    return drawn;
  };
  Object.assign(globalThis, { createImageBitmap: late, countDrawing: () => drawing });
}

/** Asserts that the status in the head of the page gets this text. */
async function assertStatus(page: Page, wanted: string): Promise<void> {
  const status = page.getByTestId('status');
  await eventually(async () => assert.equal((await status.textContent())?.trim(), wanted));
}

type Color = readonly [red: number, green: number, blue: number];

/** Waits until `count` different pictures have been on the output's canvas; returns the mean color of each. */
async function watchOutput(page: Page, count: number): Promise<readonly Color[]> {
  return page.getByTestId('output').evaluate(
    (canvas: HTMLCanvasElement, count) =>
      new Promise<[number, number, number][]>((resolve) => {
        const small = new OffscreenCanvas(16, 16);
        const context = small.getContext('2d', { willReadFrequently: true })!;
        const means = new Map<string, [number, number, number]>();
        const look = (): void => {
          context.drawImage(canvas, 0, 0, 16, 16);
          const { data } = context.getImageData(0, 0, 16, 16);
          const mean: [number, number, number] = [0, 0, 0];
          for (let i = 0; i < data.length; i += 4) {
            for (const channel of [0, 1, 2] as const) mean[channel] += data[i + channel] / 256;
          }
          means.set(data.join(), mean);
          if (means.size < count) requestAnimationFrame(look);
          else resolve([...means.values()]);
        };
        look();
      }),
    count,
  );
}

function distance(a: Color, b: Color): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

function largestDistance(some: readonly Color[], others: readonly Color[]): number {
  return Math.max(...some.flatMap((a) => others.map((b) => distance(a, b))));
}

function smallestDistance(some: readonly Color[], others: readonly Color[]): number {
  return Math.min(...some.flatMap((a) => others.map((b) => distance(a, b))));
}

/** Types a prompt and waits until the pictures of the previous one have passed. */
async function prompt(page: Page, text: string): Promise<void> {
  await page.getByTestId('prompt').fill(text);
  await page.getByTestId('prompt').press('Enter');
  await watchOutput(page, 10);
}

for (const [what, button] of [
  ['the bundled clip', 'play-clip'],
  ['the camera', 'use-camera'],
] as const) {
  test(`${what} flows, changes with the prompt and keeps flowing`, async () => {
    await using opened = await open();
    const { page, problems } = opened;
    await page.getByTestId(button).click();
    await page.locator('[data-flowing=true]').waitFor();

    await prompt(page, 'pencil sketch');
    const sketch = await watchOutput(page, 10);
    await prompt(page, 'neon outlines');
    const neon = await watchOutput(page, 10);
    await prompt(page, 'pencil sketch');
    const sketchAgain = await watchOutput(page, 10);

    const within = Math.max(largestDistance(sketch, sketchAgain), largestDistance(neon, neon));
    const between = smallestDistance([...sketch, ...sketchAgain], neon);
    assert.ok(between > 1.5 * within, `styles differ by ${between}, pictures of one style by ${within}`);

    await eventually(async () => {
      assert.ok(Number(await page.getByTestId('fps').textContent()) > 0);
      assert.match((await page.getByTestId('latency').textContent()) ?? '', /^\d+$/);
      assert.match((await page.getByTestId('timings').getAttribute('aria-label')) ?? '', /paint \d/);
    });
    await assertStatus(page, 'Live');
    assert.deepEqual(problems, []);
  });
}

test('each parameter with an effect has a control, which explains a refused value while the stream continues', async () => {
  await using opened = await open();
  const { page, problems } = opened;
  await page.getByTestId('play-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
  const response = await page.request.get(`${server.url}/v1/capabilities`);
  const { parameters } = (await response.json()) as Capabilities;
  const { properties } = parameters;
  const initial = Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, value.default]),
  );
  const possible = Object.entries(properties).filter(
    ([, each]) =>
      canHaveEffect(each) && (each['x-group'] === 'main' || hasEffect(each, { ...initial, mode: 'img2img' })),
  );
  // The prompt is elsewhere; mode and paused are not for this page; and this model has neither controls nor a
  // preprocessor for masks.
  const elsewhere = new Set(['prompt', 'mode', 'paused', 'controls', 'mask_preprocessor']);
  const names = possible.map(([name]) => name).filter((name) => !elsewhere.has(name));
  const shown = await page
    .locator('[data-testid^=parameter-]')
    .evaluateAll((found) => found.map((each) => each.dataset['testid']?.replace('parameter-', '') ?? ''));
  assert.deepEqual(new Set(shown), new Set(names));
  assert.equal(shown.length, names.length);
  assert.ok(!names.some((name) => /^(style_image|attention_bank_|flow_shift|mask_x)/.test(name)));
  const steps = page.getByTestId('parameter-steps');
  await steps.locator('input[type=number]').fill('99');
  await steps.getByRole('alert').filter({ hasText: '10' }).waitFor();
  assert.equal(await steps.locator('input[type=number]').getAttribute('aria-invalid'), 'true');
  await watchOutput(page, 5);
  await steps.locator('input[type=number]').fill('2');
  await steps.locator('[role=alert]:empty').waitFor({ state: 'attached' });
  await watchOutput(page, 5);
  await page.getByTestId('more').click();
  const indices = page.getByTestId('parameter-t_index_list');
  await indices.locator('input').fill('20, many');
  await page.keyboard.press('Tab');
  await indices.getByRole('alert').filter({ hasText: 'many' }).waitFor();
  assert.deepEqual(problems, []);
});

test('a text that is too long is refused with its count, not cut, and the stream continues', async () => {
  await using opened = await open();
  const { page, problems } = opened;
  await page.getByTestId('play-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
  const typed = page.getByTestId('prompt');
  const count = page.getByTestId('prompt-count');
  const problem = page.locator('#prompt-problem');
  await typed.fill('x'.repeat(1799));
  assert.equal(await count.count(), 0);
  await typed.fill('x'.repeat(2000));
  // It is sent at once, and not after a pause.
  await typed.press('Enter');
  await eventually(async () => assert.equal(await count.textContent(), '2,000 / 2,000'));
  assert.equal(await typed.getAttribute('aria-invalid'), 'false');
  await typed.fill('x'.repeat(2040));
  await problem.filter({ hasText: 'too long: at most 2,000 characters' }).waitFor();
  assert.equal((await typed.inputValue()).length, 2040);
  await eventually(async () => {
    assert.equal(await count.textContent(), '2,040 / 2,000');
    assert.equal(await typed.getAttribute('aria-invalid'), 'true');
  });
  await watchOutput(page, 5);
  await typed.fill('pencil sketch');
  await page.locator('#prompt-problem:empty').waitFor({ state: 'attached' });

  await page.getByTestId('more').click();
  await page.getByTestId('parameter-cfg_type').getByLabel('full').check();
  const negative = page.getByTestId('parameter-negative_prompt');
  await negative.locator('input').fill('y'.repeat(2001));
  await negative.getByRole('alert').filter({ hasText: 'too long' }).waitFor();
  const negativeCount = page.getByTestId('parameter-negative_prompt-count');
  await eventually(async () => assert.equal(await negativeCount.textContent(), '2,001 / 2,000'));
  assert.deepEqual(problems, []);
});

test('the page continues automatically after a restart of the server', async () => {
  await using first = await startServer();
  // The last picture is drawn after the connection is lost.
  await using opened = await open(first.url, 300);
  const { page } = opened;
  await page.getByTestId('play-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
  await page.getByTestId('style').filter({ hasText: 'Blueprint' }).click();
  const figures = async (): Promise<readonly string[]> =>
    page.locator('.readouts dd span, .readouts .total').allTextContents();
  await eventually(async () =>
    assert.ok(!(await figures()).includes('–'), 'there are figures of the stream'),
  );
  await first[Symbol.asyncDispose]();
  await page.getByTestId('message').filter({ hasText: 'reached' }).waitFor();
  await page.waitForFunction(
    () => (globalThis as unknown as { countDrawing: () => number }).countDrawing() === 0,
  );
  assert.deepEqual(
    await figures(),
    ['–', '–', '–', '–', '–'],
    'figures of a lost connection are no longer shown',
  );
  await using second = await startServer(Number(new URL(first.url).port));
  assert.equal(second.url, first.url);
  await page.locator('[data-flowing=true]').waitFor();
  const [color] = await watchOutput(page, 5);
  assert.ok(
    color !== undefined && color[2] > color[0],
    'the new stream starts with the prompt of the old one',
  );
});

test('the source can be changed while the stream runs', async () => {
  await using opened = await open();
  const { page, problems } = opened;
  await page.getByTestId('play-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
  for (const source of ['source-camera', 'source-clip', 'source-camera'] as const) {
    await page.getByTestId(source).click();
    await page.locator(`[data-testid=${source}][aria-pressed=true]`).waitFor();
    await watchOutput(page, 8);
  }
  await page.getByTestId('source-file').locator('+ input').setInputFiles(notVideo);
  await page.getByRole('alert').filter({ hasText: 'cannot play' }).waitFor();
  await watchOutput(page, 8);
  await page.getByTestId('source-file').locator('+ input').setInputFiles(video);
  await page.locator('[data-testid=source-file][aria-pressed=true]').waitFor();
  await watchOutput(page, 8);
  await page.getByTestId('stop').click();
  await page.getByTestId('play-clip').waitFor();
  await assertStatus(page, 'Ready');
  assert.deepEqual(problems, []);
});

test('the page fits the width of a phone', async () => {
  await using opened = await open();
  const { page } = opened;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByTestId('play-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
  await eventually(async () => {
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    const output = await page.getByTestId('output').boundingBox();
    const promptBox = await page.getByTestId('prompt').boundingBox();
    assert.ok(output !== null && output.width > 300 && output.y < 100);
    assert.ok(promptBox !== null && promptBox.y > output.y + output.height && promptBox.y < 844);
  });
});
