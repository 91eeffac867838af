import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embeddedModel } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { openPage, playClip, servedPage, watchProblems } from '../support/served-page.js';
import { startServer } from '../support/server.js';

const served = servedPage();

test('without a video the model paints from the words alone, and with one again from that', async () => {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 800 } });
  const problems = watchProblems(page);
  await openPage(page, served.url);
  await page.getByTestId('source-words').click();
  await page.locator('[data-flowing=true]').waitFor();
  assert.ok(await page.locator('.pane.input').isHidden());
  assert.equal(await page.getByTestId('pause').count(), 0);
  await page.locator('body').press('i');
  await eventually(async () => {
    const box = await page.getByTestId('output').boundingBox();
    const stage = await page.locator('.stage').boundingBox();
    assert.ok(box && stage && box.width > stage.width / 2, 'the output has the room of the input too');
  });
  await page.getByTestId('prompt').fill('a fox');
  await page.waitForFunction(() => location.hash === '#prompt=a+fox');
  await page.getByTestId('source-clip').click();
  // With it the stream of the words has ended.
  await page.locator('[data-testid=source-clip][aria-pressed=true]').waitFor();
  await page.locator('[data-flowing=true]').waitFor();
  assert.ok(await page.locator('.pane.input').isVisible());
  assert.doesNotMatch(page.url(), /mode/);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a model that only repaints has no such source', async () => {
  await using server = await startServer({ model: embeddedModel });
  await server.app.ready();
  const page = await served.browser.newPage();
  await page.goto(server.url);
  await page.locator('#parameter-strength-exact').waitFor();
  assert.equal(await page.getByTestId('source-words').count(), 0);
  await page.close();
});

test('every video can be paused, and goes on', async () => {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 800 } });
  await playClip(page, served.url);
  await page.getByTestId('source-camera').click();
  await page.locator('[data-testid=source-camera][aria-pressed=true]').waitFor();
  const paused = async (): Promise<boolean> =>
    page.getByTestId('input').evaluate((video: HTMLVideoElement) => video.paused);
  assert.equal(await page.getByTestId('position').count(), 0, 'a camera cannot be sought');
  await page.getByTestId('pause').click();
  await page.getByTestId('pause').getByText('Play').waitFor();
  await eventually(async () => assert.ok(await paused()));
  await page.locator('body').press('i');
  await page.getByTestId('pause').getByText('Pause').waitFor();
  await eventually(async () => assert.ok(!(await paused())));
  await page.close();
});
