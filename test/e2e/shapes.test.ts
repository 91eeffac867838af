import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Capabilities } from '@millrace/client';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { repositoryRoot } from '../support/reference.js';
import { playClip, servedPage, watchProblems } from '../support/served-page.js';

const video = join(repositoryRoot, 'test/fixtures/videos/tree.webm');
const image = join(repositoryRoot, 'clients/web/screenshot.jpg');

let page: Page;
const problems: string[] = [];

/** Records the sizes of the pictures that the page sends. */
function recordSizes(): void {
  const sizes: string[] = [];
  class RecordingCanvas extends OffscreenCanvas {
    override convertToBlob(options?: ImageEncodeOptions): Promise<Blob> {
      sizes.push(`${this.width}x${this.height}`);
      return super.convertToBlob(options);
    }
  }
  Object.assign(globalThis, { sizes, OffscreenCanvas: RecordingCanvas });
}

servedPage({}, async ({ browser, url }) => {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.addInitScript(recordSizes);
  watchProblems(page, problems);
  await page.route('**/v1/capabilities', async (route) => {
    const response = await route.fetch();
    const answer = (await response.json()) as Capabilities;
    const { properties } = answer.parameters;
    const strength = { ...properties.strength, 'x-useful': [0.2, 0.8] };
    await route.fulfill({
      response,
      json: { ...answer, parameters: { ...answer.parameters, properties: { ...properties, strength } } },
    });
  });
  await playClip(page, url);
});

/** Waits until the output has this size. */
async function untilSize(wanted: string): Promise<void> {
  await page.waitForFunction((wanted) => {
    const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=output]');
    return `${canvas?.width}x${canvas?.height}` === wanted;
  }, wanted);
}

/** Waits until the page sends pictures of this size. */
async function untilSent(wanted: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => (globalThis as unknown as { sizes: string[] }).sizes.at(-1) === wanted,
    wanted,
  );
}

const offers = async (): Promise<readonly string[]> =>
  page.getByTestId('size').locator('option').allTextContents();

describe('the shape of the results', () => {
  it('has a size that the page names with what the server can make of it', async () => {
    // The costs of frames come after the sizes.
    await eventually(async () => {
      const texts = await offers();
      assert.ok(texts.length >= 3);
      const words = /^\d+ × \d+, (?:about [\d.]+ frames a second here|too large for this server)$/;
      for (const text of texts) assert.match(text, words);
      const rates = texts.flatMap((text) => Number(/about ([\d.]+)/.exec(text)?.[1] ?? []));
      assert.ok((rates[0] ?? 0) > (rates.at(-1) ?? 0), 'larger pictures are slower');
    });
  });

  it('changes its aspect at an equal number of pixels', async () => {
    await page.getByTestId('size').selectOption({ label: (await offers())[2] ?? '' });
    await page.waitForFunction(
      () => document.querySelector<HTMLCanvasElement>('[data-testid=output]')!.width > 64,
    );
    const side = await page.getByTestId('output').evaluate((canvas: HTMLCanvasElement) => canvas.width);
    await untilSize(`${side}x${side}`);
    for (const [name, ratio] of [
      ['4:3', 4 / 3],
      ['9:16', 9 / 16],
      ['16:9', 16 / 9],
    ] as const) {
      await page.getByTestId(`shape-${name}`).check();
      const [width, height] = [side * Math.sqrt(ratio), side / Math.sqrt(ratio)].map(
        (length) => Math.max(8, Math.round(length / 8)) * 8,
      );
      await untilSize(`${width}x${height}`);
      await untilSent(`${width}x${height}`);
    }
  });

  it('leaves the fitting to the server unless the picture covers the results', async () => {
    await page.getByTestId('more').click();
    const { width, height } = await page
      .getByTestId('output')
      .evaluate((canvas: HTMLCanvasElement) => ({ width: canvas.width, height: canvas.height }));
    await page.getByTestId('parameter-fit').getByLabel('contain').check();
    await untilSent(`${height}x${height}`);
    await page.locator('.stage[data-fit=contain]').waitFor();
    await page.getByTestId('parameter-fit').getByLabel('stretch').check();
    await untilSent(`${width}x${height}`);
    await page.getByTestId('parameter-fit').getByLabel('cover').check();
    await page.locator('.stage[data-fit=cover]').waitFor();
    await untilSize(`${width}x${height}`);
  });

  it('follows the source', async () => {
    await page.getByTestId('shape-source').check();
    await page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=output]');
      return canvas !== null && canvas.width === canvas.height;
    });
    await page.getByTestId('source-file').locator('+ input').setInputFiles(image);
    await page.locator('[data-testid=source-file][aria-pressed=true]').waitFor();
    await page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('[data-testid=output]')!;
      const video = document.querySelector('video')!;
      return Math.abs(canvas.width / canvas.height / (video.videoWidth / video.videoHeight) - 1) < 0.1;
    });
  });
});

describe('sources', () => {
  it('can be an image, which is sent over and over', async () => {
    const sent = async (): Promise<number> =>
      page.evaluate(() => (globalThis as unknown as { sizes: string[] }).sizes.length);
    const before = await sent();
    await page.waitForFunction(
      (before) => (globalThis as unknown as { sizes: string[] }).sizes.length > before + 3,
      before,
    );
    assert.equal(await page.getByTestId('pause').count(), 0);
  });

  it('can be a file, which pauses, seeks, changes its speed and ends', async () => {
    await page.getByTestId('source-file').locator('+ input').setInputFiles(video);
    await page.getByTestId('pause').waitFor();
    const state = async (): Promise<HTMLVideoElement> =>
      page.getByTestId('input').evaluate(({ paused, currentTime, playbackRate, loop }: HTMLVideoElement) => ({
        paused,
        currentTime,
        playbackRate,
        loop,
      })) as Promise<HTMLVideoElement>;
    await page.getByTestId('pause').click();
    await page.getByTestId('pause').filter({ hasText: 'Play' }).waitFor();
    await eventually(async () => assert.ok((await state()).paused));
    await page.getByTestId('position').fill('0.2');
    await page.waitForFunction(() => document.querySelector('video')?.currentTime === 0.2);
    await page.getByTestId('speed').selectOption('2');
    await page.getByTestId('loop').uncheck();
    await eventually(async () => {
      const { playbackRate, loop } = await state();
      assert.deepEqual([playbackRate, loop], [2, false]);
    });
    await page.getByTestId('pause').click();
    await page.waitForFunction(() => document.querySelector('video')?.ended === true);
    await page.getByTestId('loop').check();
    await page.getByTestId('pause').click();
    await page.waitForFunction(() => document.querySelector('video')?.paused === false);
  });
});

describe('a slider', () => {
  it('has useful values, and the others behind More', async () => {
    const strength = page.getByTestId('parameter-strength');
    const slider = strength.locator('input[type=range]');
    const assertLimits = (least: string, most: string): Promise<void> =>
      eventually(async () => {
        const limits = [await slider.getAttribute('min'), await slider.getAttribute('max')];
        assert.deepEqual(limits, [least, most]);
      });
    await assertLimits('0.2', '0.8');
    await strength.locator('input[type=number]').fill('0.95');
    await assertLimits('0.2', '0.95');
    await page.getByTestId('whole-ranges').check();
    await assertLimits('0', '1');
    assert.deepEqual(problems, []);
  });
});
