import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeImage } from '../../src/image/encode.js';
import { RecordedStream, startEngine, testImage, tinyParameters } from '../support/engine.js';
import { always, spoil } from '../support/onnx-spoil.js';
import { steeredModel } from '../support/steered-model.js';

const model = await steeredModel('all');

test('a style image is refused if the image encoder computes NaN for it, and streams without go on', async () => {
  await spoil(join(model, 'image_encoder/model.onnx'), always('image_tokens', NaN));
  await using run = await startEngine(model);
  const parameters = tinyParameters();
  const stream = await RecordedStream.open(run.engine, parameters);
  const style_image = new Uint8Array(await encodeImage(testImage(1, parameters), 'png', 1));
  await assert.rejects(stream.stream.configure({ ...parameters, style_image }), {
    name: 'ParameterError',
    field: 'style_image',
    message: 'the image encoder computes NaN or infinite values for it; change the style_image',
  });
  stream.stream.push(0, { image: testImage(0, parameters) }, { replace: false });
  await stream.until(() => stream.answered === 1);
  assert.equal(stream.results.size, 1);
  stream.stream.close();
});
