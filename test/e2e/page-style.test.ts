import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeImage } from '../../src/image/encode.js';
import { testImage } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { playClip, servedPage } from '../support/served-page.js';
import { steeredModel } from '../support/steered-model.js';

const model = await steeredModel('all');
const served = servedPage({ model });

const buffer = Buffer.from(await encodeImage(testImage(5, { width: 1200, height: 400 }), 'png', 1));

test('a style image is chosen, shown, weighed, dropped and removed while the stream goes on', async () => {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  const updates: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const text = payload.toString('latin1');
      if (text.includes('update')) updates.push(text);
    }),
  );
  await playClip(page, served.url);
  const control = page.getByTestId('parameter-style_image');
  const view = page.getByTestId('parameter-style_image-view');
  const problem = control.locator('.problem:not(:empty)');
  assert.equal(await view.count(), 0);

  const choose = control.locator('input[type=file]');
  await choose.setInputFiles({
    name: 'notes.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('no picture'),
  });
  await problem.getByText('This browser cannot show that file as a picture.').waitFor();

  await choose.setInputFiles({ name: 'look.png', mimeType: 'image/png', buffer });
  await view.waitFor();
  const size = await view.evaluate(async (image: HTMLImageElement) => {
    await image.decode();
    return [image.naturalWidth, image.naturalHeight];
  });
  assert.deepEqual(size, [768, 256], 'it is made small before it is sent');
  await page.locator('#parameter-ip_adapter_scale-exact').fill('0.5');
  const isSent = async (...parts: readonly string[]): Promise<void> => {
    await eventually(() => {
      const isOne = updates.some((update) => parts.every((part) => update.includes(part)));
      assert.ok(isOne, `none of ${updates.length} updates has ${parts.join(' and ')}`);
    });
  };
  await isSent('style_image', 'JFIF');
  await isSent('ip_adapter_scale');
  updates.length = 0;

  await control.locator('.picture').evaluate((target, base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], 'dropped.png', { type: 'image/png' }));
    target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
  }, buffer.toString('base64'));
  await isSent('style_image', 'JFIF');
  updates.length = 0;
  await page.getByTestId('parameter-style_image-remove').click();
  await isSent('style_image');
  await view.waitFor({ state: 'detached' });
  assert.equal(await problem.count(), 0);
  assert.equal(await page.locator('[data-flowing=true]').count(), 1);
  assert.deepEqual(problems, []);
  await page.close();
});
