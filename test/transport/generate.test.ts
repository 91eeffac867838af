import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeImage } from '../../src/image/decode.js';
import { encodeImage } from '../../src/image/encode.js';
import { sniffFormat } from '../../src/image/format.js';
import { packagePath } from '../../src/package.js';
import { rawHttp } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
before(async () => {
  server = await startServer({ maxMessageBytes: 1024 * 1024, maxFramePixels: 512 * 512 });
  await server.app.ready();
});
after(() => server[Symbol.asyncDispose]());

type Fields = Readonly<Record<string, string | Uint8Array>>;

async function send(fields: Fields, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, new Blob([new Uint8Array(value)]), `${name}.jpg`);
  }
  return fetch(`${server.url}/v1/generate`, { method: 'POST', body: form, headers });
}

async function refusalOf(answer: Response): Promise<readonly [number, string, string | undefined]> {
  const { error } = (await answer.json()) as { error: { code: string; field?: string } };
  return [answer.status, error.code, error.field];
}

/** A picture with a gradient whose brightness is `level`. */
function picture(level: number): Promise<Uint8Array> {
  const data = Uint8Array.from({ length: 96 * 64 * 3 }, (_, i) => (level + (i % 96)) % 256);
  return encodeImage({ width: 96, height: 64, data }, 'jpeg', 90);
}

const small = { width: '64', height: '64', seed: '5', t_index_list: '20,30' };

test('an image and fields of a form become one image, which depends on both', async () => {
  const [dark, bright] = await Promise.all([picture(10), picture(150)]);
  const results: Uint8Array[] = [];
  for (const fields of [
    { ...small, image: dark },
    { ...small, image: dark },
    { ...small, image: bright },
    { ...small, image: dark, prompt: 'a fox' },
    { ...small, image: dark, t_index_list: '[5]' },
  ]) {
    const answer = await send(fields);
    assert.equal(answer.status, 200, answer.status === 200 ? '' : await answer.clone().text());
    assert.equal(answer.headers.get('content-type'), 'image/jpeg');
    results.push(new Uint8Array(await answer.arrayBuffer()));
  }
  const [first, again, ...others] = results;
  assert.ok(first);
  assert.deepEqual(first, again);
  for (const other of others) assert.notDeepEqual(other, first);
  const { width, height } = await decodeImage(first, { maxPixels: 1e6 });
  assert.deepEqual([width, height], [64, 64]);
});

test('Accept selects the format', async () => {
  const image = await picture(10);
  for (const [accept, format] of [
    ['image/png', 'png'],
    ['image/webp;q=0.9, image/png;q=0.5', 'webp'],
    ['image/*', 'jpeg'],
    ['*/*', 'jpeg'],
    ['text/html, image/jpeg;q=0.1', 'jpeg'],
  ] as const) {
    const answer = await send({ ...small, image }, { accept });
    assert.equal(answer.headers.get('content-type'), `image/${format}`, accept);
    assert.equal(answer.headers.get('vary'), 'accept');
    assert.equal(sniffFormat(new Uint8Array(await answer.arrayBuffer())), format);
  }
  assert.deepEqual(await refusalOf(await send({ ...small, image }, { accept: 'video/mp4' })), [
    406,
    'not_acceptable',
    undefined,
  ]);
});

test('a mask keeps the part of the image where it is black', async () => {
  const image = await picture(10);
  const black = new Uint8Array(64 * 64 * 3);
  const mask = await encodeImage({ width: 64, height: 64, data: black }, 'png', 90);
  const png = { accept: 'image/png' };
  const kept = await send({ ...small, image, mask }, png);
  const changed = await send({ ...small, image }, png);
  const options = { maxPixels: 1e6, box: { width: 64, height: 64, fit: 'cover' as const } };
  const wanted = await decodeImage(image, options);
  const [left, right] = await Promise.all(
    [kept, changed].map(async (answer) =>
      decodeImage(new Uint8Array(await answer.arrayBuffer()), { maxPixels: 1e6 }),
    ),
  );
  assert.deepEqual(left?.data, wanted.data);
  assert.notDeepEqual(right?.data, wanted.data);
});

test('parameters as JSON without an image are text to image', async () => {
  const answer = await fetch(`${server.url}/v1/generate`, {
    method: 'POST',
    body: JSON.stringify({ width: 64, height: 64, t_index_list: [0, 20] }),
    headers: { 'content-type': 'application/json', accept: 'image/webp' },
  });
  assert.equal(answer.status, 200);
  assert.equal(sniffFormat(new Uint8Array(await answer.arrayBuffer())), 'webp');
  assert.equal((await send({ width: '64', height: '64', t_index_list: '0,20' })).status, 200);
});

test('each fault of a form is named', async () => {
  const image = await picture(10);
  const huge = await encodeImage({ width: 520, height: 520, data: new Uint8Array(520 * 520 * 3) }, 'png', 90);
  const many = Uint8Array.from({ length: 700_000 }, (_, i) => i);
  const manyFields = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`f${i}`, '1']));
  const faults: readonly (readonly [Fields, number, string, string | undefined])[] = [
    [{ ...small, image: new Uint8Array(0) }, 400, 'invalid_frame', 'image'],
    [{ ...small, image: Buffer.from('no picture') }, 400, 'invalid_frame', 'image'],
    [{ ...small, image: image.slice(0, 200) }, 400, 'invalid_frame', 'image'],
    [{ ...small, image: huge }, 400, 'invalid_frame', 'image'],
    [{ ...small, image, mask: Buffer.from('no') }, 400, 'invalid_frame', 'mask'],
    [{ ...small, image, 'controls.canny': image }, 400, 'invalid_frame', 'controls.canny'],
    [{ ...small, image, photo: image }, 400, 'invalid_parameter', 'photo'],
    [{ ...small, mask: image }, 400, 'invalid_parameter', 'image'],
    [{ ...small, image: 'photo.jpg' }, 400, 'invalid_parameter', 'image'],
    [{ ...small, image, steps: 'many' }, 400, 'invalid_parameter', 'steps'],
    [{ ...small, image, colour: 'red' }, 400, 'invalid_parameter', 'colour'],
    [{ ...small, image, mode: 'txt2img' }, 400, 'invalid_parameter', 'mode'],
    [{ ...small, image, mask: many, 'controls.a': many }, 413, 'message_too_large', undefined],
    [{ ...small, image: new Uint8Array(1024 * 1024 + 1) }, 413, 'message_too_large', undefined],
    [{ ...small, image, prompt: 'x'.repeat(70_000) }, 413, 'message_too_large', undefined],
    [{ ...small, image, ['x'.repeat(101)]: '1' }, 400, 'invalid_message', undefined],
    [{ ...small, image, ['x'.repeat(101)]: image }, 400, 'invalid_message', undefined],
    [{ ...small, image, constructor: '1' }, 400, 'invalid_message', undefined],
    [{ ...manyFields, image }, 413, 'message_too_large', undefined],
  ];
  for (const [fields, ...wanted] of faults) {
    const answer = await send(fields);
    assert.deepEqual(await refusalOf(answer), wanted, Object.keys(fields).join());
  }
  assert.equal((await send({ ...small, image })).status, 200);
});

test('a part may be JSON', async () => {
  const part = (name: string, type: string, value: string): string =>
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: ${type}\r\n\r\n${value}\r\n`;
  const ask = async (seed: string): Promise<Response> =>
    fetch(`${server.url}/v1/generate`, {
      method: 'POST',
      body: `${part('width', 'text/plain', '64')}${part('height', 'application/json', '64')}${part('seed', 'application/json', seed)}--x--`,
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    });
  assert.equal((await ask('[{"seed": 1, "weight": 1}, {"seed": 2, "weight": 1}]')).status, 200);
  assert.deepEqual(await refusalOf(await ask('{"seed": ')), [400, 'invalid_message', undefined]);
});

test('a connection can be used again after a form that is refused before its end', async () => {
  const form = (connection: string, parts: string): string =>
    `POST /v1/generate HTTP/1.1\r\nHost: localhost\r\nConnection: ${connection}\r\n` +
    `Content-Type: multipart/form-data; boundary=x\r\nContent-Length: ${parts.length}\r\n\r\n${parts}`;
  const part = (about: string, value: string): string =>
    `--x\r\nContent-Disposition: form-data${about}\r\n\r\n${value}\r\n`;
  const large = part('; name="mask"; filename="a"', 'x'.repeat(1e6));
  const { body } = await rawHttp(
    server.url,
    form('keep-alive', `${part('; name="image"', 'a')}${large}--x--`) +
      form('close', `${part('', 'nameless')}--x--`),
  );
  const codes = [...body.matchAll(/"code":"(\w+)"/g)].map(([, code]) => code);
  assert.deepEqual(codes, ['invalid_parameter', 'invalid_message']);
  assert.match(body, /each part of a form must have a name/);
});

test('a body that is neither a form nor JSON, or a damaged form, is refused', async () => {
  for (const [type, body, status] of [
    ['image/jpeg', 'data', 415],
    ['multipart/form-data', 'data', 400],
    [
      'multipart/form-data; boundary=x',
      '--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\ncut',
      400,
    ],
    ['application/json', '{"image": ', 400],
  ] as const) {
    const answer = await fetch(`${server.url}/v1/generate`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    });
    assert.deepEqual(await refusalOf(answer), [status, 'invalid_message', undefined], type);
  }
});

test('a model that only changes pictures refuses to generate one from a prompt alone', async () => {
  await using own = await startServer({ model: packagePath('ops/models/millrace-styles') });
  await own.app.ready();
  for (const path of ['/v1/generate', '/v1/txt2img']) {
    const answer = await fetch(`${own.url}${path}`, {
      method: 'POST',
      body: '{"prompt": "a fox"}',
      headers: { 'content-type': 'application/json' },
    });
    assert.deepEqual(await refusalOf(answer), [409, 'unsupported_mode', 'mode']);
  }
  const form = new FormData();
  form.append('image', new Blob([new Uint8Array(await picture(90))]), 'photo.jpg');
  form.append('prompt', 'van gogh painting');
  const answer = await fetch(`${own.url}/v1/generate`, { method: 'POST', body: form });
  assert.equal(answer.status, 200);
});
