import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encodeImage } from '../../src/image/encode.js';
import { testImage } from '../support/engine.js';
import { startServer, type TestServer } from '../support/server.js';
import { steeredModel } from '../support/steered-model.js';

const model = await steeredModel('all');
let server: TestServer;
before(async () => {
  server = await startServer({ model });
  await server.app.ready();
});
after(() => server[Symbol.asyncDispose]());

const parameters = { t_index_list: [10, 45], width: 64, height: 64, prompt: 'a fox' };
// Larger than a body without a style image may be.
const file = await encodeImage(testImage(2, { width: 500, height: 400 }), 'png', 1);
const style_image = Buffer.concat([file, Buffer.alloc(100_000)]).toString('base64');

async function post(changes: object): Promise<Response> {
  return fetch(`${server.url}/v1/txt2img`, {
    method: 'POST',
    body: JSON.stringify({ ...parameters, ...changes }),
    headers: { 'content-type': 'application/json' },
  });
}

test('an image is made in the style of a picture, which JSON has in base64', async () => {
  const answers = [];
  for (const changes of [{}, { style_image }, { style_image }, { style_image, ip_adapter_scale: 0 }]) {
    const answer = await post(changes);
    assert.equal(answer.status, 200, await answer.clone().text());
    answers.push(Buffer.from(await answer.arrayBuffer()).toString('base64'));
  }
  const [plain, styled, again, off] = answers;
  assert.notEqual(styled, plain);
  assert.deepEqual([again, off], [styled, plain]);
});

test('a form may have a style image as a file', async () => {
  const ask = async (files: Readonly<Record<string, Uint8Array>>): Promise<Buffer> => {
    const form = new FormData();
    for (const [name, value] of Object.entries(parameters)) form.append(name, String(value));
    for (const [name, bytes] of Object.entries(files))
      form.append(name, new Blob([new Uint8Array(bytes)]), name);
    const answer = await fetch(`${server.url}/v1/generate`, { method: 'POST', body: form });
    assert.equal(answer.status, 200);
    return Buffer.from(await answer.arrayBuffer());
  };
  const image = await encodeImage(testImage(1, { width: 64, height: 64 }), 'jpeg', 90);
  assert.notDeepEqual(await ask({ image, style_image: file }), await ask({ image }));
});

test('a style image is refused by name if it is an address, no picture or too large', async () => {
  for (const [image, status, code, field, message] of [
    ['http://127.0.0.1/a.jpg', 400, 'invalid_parameter', 'style_image', /not valid base64/],
    ['AAAA', 400, 'invalid_parameter', 'style_image', /cannot be used: the data is not a JPEG, PNG or WebP/],
    ['sha256:00', 400, 'invalid_parameter', 'style_image', /names a picture that is not in force/],
    ['A'.repeat(2_796_206), 400, 'invalid_parameter', 'style_image', /an image file/],
    ['A'.repeat(3_000_000), 413, 'message_too_large', undefined, /./],
  ] as const) {
    const answer = await post({ style_image: image });
    const { error } = (await answer.json()) as { error: { code: string; field?: string; message: string } };
    assert.deepEqual([answer.status, error.code, error.field], [status, code, field]);
    assert.match(error.message, message);
    assert.ok(error.message.length < 500);
  }
});
