import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import { decodeImage } from '../../src/image/decode.js';
import type { Image } from '../../src/image/image.js';
import { preprocess } from '../../src/image/preprocess/preprocessors.js';
import { meanDifference } from '../image/pictures.js';
import { motionJpegFrames } from '../support/frames.js';
import { onnxGraph } from '../support/onnx-graph.js';
import { pictureInput, writePreprocessor } from '../support/preprocessor-model.js';
import { servedPage } from '../support/served-page.js';
import { steeredModel } from '../support/steered-model.js';
import { StreamClient } from '../support/stream-client.js';

const folder = await steeredModel('all');
/** A network that returns the red channel. */
const red = onnxGraph({
  inputs: [pictureInput],
  outputs: [['result', 1, ['batch', 1, 'rows', 'columns']]],
  constants: [['weights', [1, 3, 1, 1], [1, 0, 0]]],
  nodes: [['Conv', ['image', 'weights'], 'result']],
});
await writePreprocessor(folder, 'red', red, { title: 'Red', output: { kind: 'depth' } });
await writePreprocessor(folder, 'rose', red, { title: 'Rose', output: { kind: 'mask' } });

const served = servedPage({ model: folder });

const [first, second] = motionJpegFrames('walkers.mjpeg');
const size = { width: 64, height: 64 };
const open = (data: Uint8Array): Promise<Image> =>
  decodeImage(data, { maxPixels: 1_000_000, box: { ...size, fit: 'cover' } });
const control = (preprocessor: string): StreamParameters['controls'] => ({
  'controlnet-a': { scale: 1, preprocessor },
});

test('results bring what a control sees, whether a network made it or not, if the client asks', async () => {
  for (const [preprocessor, wanted] of [
    ['canny', async () => lines(await open(first))],
    ['red', async () => grey(await open(first))],
    ['feedback', () => open(first)],
  ] as const) {
    const parameters = { ...size, controls: control(preprocessor), control_previews: true } as const;
    await using client = await StreamClient.open(served.server.streamUrl, parameters);
    const answer = await client.generate(0, first);
    assert.ok(answer.type === 'result');
    const { 'controlnet-a': preview } = answer.controls ?? {};
    assert.ok(preview, preprocessor);
    assert.ok(meanDifference(await decodeImage(preview, { maxPixels: 160 * 160 }), await wanted()) < 12);
    const later = await client.generate(1, second);
    assert.ok(later.type === 'result');
  }
  await using client = await StreamClient.open(served.server.streamUrl, {
    ...size,
    controls: control('canny'),
  });
  const answer = await client.generate(0, first);
  assert.ok(answer.type === 'result');
  assert.equal(answer.controls, undefined);
});

test('a network of the model makes the mask, and one that it lacks is refused by name', async () => {
  const mask = { ...size, mask_preprocessor: 'rose', mask_feather: 0, quality: 100 } as const;
  await using client = await StreamClient.open(served.server.streamUrl, mask);
  const answer = await client.generate(0, first);
  assert.ok(answer.type === 'result');
  const [input, result] = [await open(first), await open(answer.data)];
  let [kept, changed] = [0, 0];
  for (let p = 0; p < input.data.length; p += 3) {
    const difference = Math.abs((input.data[p + 1] ?? 0) - (result.data[p + 1] ?? 0));
    if ((input.data[p] ?? 0) < 20) kept = Math.max(kept, difference);
    else changed += difference;
  }
  assert.ok(kept < 40, `${kept} where the picture has no red`);
  assert.ok(changed > 0);
  client.send({ type: 'update', request: 5, parameters: { mask_preprocessor: 'person' } });
  const error = await client.first('error');
  assert.deepEqual([error.code, error.field], ['invalid_parameter', 'mask_preprocessor']);
  assert.match(error.message, /must be one of "none", "rose", not "person"/);
});

test('the page shows what a control sees beside its settings, as long as it is asked for', async () => {
  const page = await served.browser.newPage({ viewport: { width: 1280, height: 1400 } });
  await page.goto(served.url);
  const settings = '#parameter-controls-controlnet-a';
  await page.locator(`${settings}-preprocessor`).selectOption({ label: 'canny' });
  await page.locator(`${settings}-scale`).fill('1');
  await page.getByTestId('source-clip').click();
  await page.locator('[data-flowing=true]').waitFor();
  const preview = page.getByTestId('parameter-controls-controlnet-a-preview');
  assert.equal(await preview.count(), 0);
  const asked = page.locator('#parameter-control_previews');
  await asked.click();
  await preview.waitFor();
  const before = await preview.getAttribute('src');
  await page.waitForFunction(
    ([id, url]) => {
      const image = document.querySelector<HTMLImageElement>(`[data-testid=${id}]`);
      return image?.complete && image.naturalWidth > 0 && image.src !== url;
    },
    ['parameter-controls-controlnet-a-preview', before] as const,
  );
  assert.equal(await page.getByTestId('parameter-controls-controlnet-b-preview').count(), 0);
  if (process.env['SCREENSHOT']) await page.screenshot({ path: process.env['SCREENSHOT'] });
  await asked.click();
  await preview.waitFor({ state: 'detached' });
  await page.close();
});

function lines(image: Image): Image {
  const made = preprocess('canny', image);
  assert.ok(made);
  return made;
}

/** Returns the red channel of a picture in grey. */
function grey({ data, ...of }: Image): Image {
  return { ...of, data: Uint8Array.from(data, (_, p) => data[p - (p % 3)] ?? 0) };
}
