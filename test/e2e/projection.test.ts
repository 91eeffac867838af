import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually } from '../support/eventually.js';
import { playClip, servedPage, watchProblems } from '../support/served-page.js';

let page: Page;
/** Errors and warnings in the browser's console. */
const problems: string[] = [];

const served = servedPage({ graceSeconds: 1 }, async ({ browser, url }) => {
  page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  watchProblems(page, problems);
  await playClip(page, url);
});

async function choose(name: string): Promise<void> {
  await page.getByTestId('projection').click();
  await page.getByTestId(name).click();
}

/** Returns the width of the output. */
const width = async (): Promise<number> => (await boxOf('output')).width;

async function boxOf(testId: string): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await page.getByTestId(testId).boundingBox();
  assert.ok(box, `${testId} is not visible`);
  return box;
}

describe('the output on a stage', () => {
  it('has nothing beside it after H, not even the pointer, and everything again after another H', async () => {
    await page.keyboard.press('h');
    await page.locator('.app[data-bare=true]').waitFor();
    for (const name of [
      '.top',
      '.panel',
      '.readouts',
      '.composer',
      '.tools',
      '.input',
      '.output figcaption',
    ]) {
      assert.ok(!(await page.locator(name).isVisible()), name);
    }
    await eventually(async () => {
      const { cursor, background } = await page.locator('.stage').evaluate((stage) => ({
        cursor: getComputedStyle(stage).cursor,
        background: getComputedStyle(stage).backgroundColor,
      }));
      assert.deepEqual([cursor, background], ['none', 'rgb(0, 0, 0)']);
      assert.deepEqual(await boxOf('output'), { x: 280, y: 0, width: 720, height: 720 });
    });
    await page.keyboard.press('h');
    await page.locator('.composer').waitFor();
    await eventually(async () => assert.ok((await width()) < 720));
  });

  it('is not hidden by an h that is typed', async () => {
    const prompt = page.getByTestId('prompt');
    await prompt.press('h');
    await eventually(async () => assert.match(await prompt.inputValue(), /h$/));
    assert.equal(await page.locator('.app[data-bare=true]').count(), 0);
    await prompt.blur();
  });

  it('takes the whole screen, and fits or fills it', async () => {
    await choose('filled');
    await choose('full-screen');
    await page.waitForFunction(() => document.fullscreenElement !== null);
    await page.locator('.app[data-bare=true]').waitFor();
    await eventually(async () => assert.ok((await width()) >= 1280));
    await page.keyboard.press('h');
    await page.evaluate(() => document.exitFullscreen());
    await page.locator('.app[data-bare=false]').waitFor();
    await choose('filled');
  });

  it('shares the place of the input, divided by a line', async () => {
    await page.keyboard.press('b');
    await page.getByTestId('line').waitFor();
    await eventually(async () => assert.deepEqual(await boxOf('input'), await boxOf('output')));
    const input = page.locator('.pane.input');
    const isClipped = (share: RegExp): Promise<void> =>
      eventually(async () =>
        assert.match(await input.evaluate((pane) => getComputedStyle(pane).clipPath), share),
      );
    // The line is in the middle.
    await isClipped(/50%/);
    await page.getByLabel('Before and after').fill('0.25');
    await isClipped(/75%/);
    await page.keyboard.press('b');
    await page.getByTestId('line').waitFor({ state: 'detached' });
  });

  it('is mirrored with its input', async () => {
    await page.locator('.input[data-mirror=false]').waitFor();
    await choose('mirror');
    await page.locator('.input[data-mirror=true]').waitFor();
    await choose('mirror');
    await page.locator('.input[data-mirror=false]').waitFor();
  });

  it('stays in view on a phone in landscape, and so do the ways to show it', async () => {
    await page.setViewportSize({ width: 844, height: 390 });
    for (const drawer of ['styles', 'looks', 'perform']) {
      await page.getByTestId(`open-${drawer}`).click();
      // It slides in.
      await page
        .getByTestId(drawer)
        .evaluate(async (opened) => Promise.all(opened.getAnimations().map(({ finished }) => finished)));
      await eventually(async () => {
        const [output, { x }] = [await boxOf('output'), await boxOf(drawer)];
        assert.ok(x >= output.x + output.width, `${drawer} covers the output`);
      });
      await page.getByTestId(drawer).press('Escape');
    }
    await page.getByTestId('projection').click();
    for (const name of ['full-screen', 'filled']) {
      await page.getByTestId(name).waitFor();
      await eventually(async () => {
        const { x, y, width, height } = await boxOf(name);
        assert.ok(x >= 0 && x + width <= 844 && y + height <= 390, `${name} is not in the window`);
      });
    }
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  it('plays in a second window', async () => {
    const opening = page.waitForEvent('popup');
    await choose('second-window');
    const other = await opening;
    watchProblems(other, problems);
    await other.waitForFunction(() => {
      const video = document.querySelector('video');
      return video !== null && video.videoWidth > 0 && video.currentTime > 0;
    });
    await other.close();
  });

  it('floats above all windows, and returns', async () => {
    await choose('float');
    await page.waitForFunction(() => {
      const { pictureInPictureElement: video } = document;
      return video instanceof HTMLVideoElement && video.videoWidth > 0 && video.currentTime > 0;
    });
    await choose('float');
    await page.waitForFunction(() => document.pictureInPictureElement === null);
  });
});

describe('links for viewers', () => {
  it('lead to a page with the pictures alone, which says when there are none', async () => {
    await page.getByTestId('share').click();
    const link = await page.getByTestId('view-link').inputValue();
    assert.match(link, new RegExp(`^${served.url}/view/[\\w-]+\\?key=`));
    await page.waitForFunction(
      () => (document.querySelector('.qr path')?.getAttribute('d') ?? '').length > 100,
    );
    const mjpeg = await page.getByTestId('mjpeg-link').inputValue();
    assert.equal((await fetch(mjpeg, { method: 'HEAD' })).status, 200);
    await page.getByTestId('share-close').click();

    const friend = await served.browser.newPage();
    watchProblems(friend, problems);
    await friend.goto(link);
    await friend.locator('[data-flowing=true]').waitFor({ state: 'attached' });
    assert.equal(await friend.locator('#message').textContent(), '');
    const size = await friend.locator('canvas').evaluate((canvas: HTMLCanvasElement) => canvas.width);
    assert.equal(
      size,
      await page.getByTestId('output').evaluate((canvas: HTMLCanvasElement) => canvas.width),
    );
    assert.deepEqual(problems, []);

    await page.getByTestId('stop').click();
    await friend.getByText('The session has ended').waitFor();
    await friend.goto(`${link}x`);
    await friend.getByText('The link is damaged or has expired').waitFor();
    await friend.close();
  });
});

describe('a connection that is lost', () => {
  it('leaves the last picture, dimmed', async () => {
    await page.getByTestId('play-clip').click();
    await page.locator('[data-flowing=true]').waitFor();
    await served.server[Symbol.asyncDispose]();
    await page.locator('.stage[data-flowing=false][data-pictured=true]').waitFor();
    await page.waitForFunction(
      () => Number(getComputedStyle(document.querySelector('[data-testid=output]')!).opacity) === 0.35,
    );
    const filled = await page.getByTestId('output').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value, i) => i % 4 !== 3 && value > 0);
    });
    assert.ok(filled);
  });
});
