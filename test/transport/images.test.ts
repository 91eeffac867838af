import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeImage } from '../../src/image/decode.js';
import { ModelCopy } from '../model/model-copy.js';
import { tinyModel } from '../support/engine.js';
import { classifierGraph, writeSafetyChecker } from '../support/safety-model.js';
import { startServer, type TestServer } from '../support/server.js';

let server: TestServer;
before(async () => {
  server = await startServer();
  await server.app.ready();
});
after(() => server[Symbol.asyncDispose]());

async function post(body: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${server.url}/v1/txt2img`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

const parameters = { t_index_list: [0, 16, 32, 45], width: 64, height: 64, prompt: 'a fox' };

test('txt2img returns one image, the same for the same seed', async () => {
  const answers = await Promise.all([1, 1, 2].map((seed) => post(JSON.stringify({ ...parameters, seed }))));
  assert.deepEqual(
    answers.map(({ status, headers }) => [status, headers.get('content-type')]),
    [1, 1, 2].map(() => [200, 'image/jpeg']),
  );
  const files = await Promise.all(answers.map(async (answer) => new Uint8Array(await answer.arrayBuffer())));
  assert.deepEqual(files[0], files[1]);
  assert.notDeepEqual(files[0], files[2]);
  const image = await decodeImage(files[0], { maxPixels: 1e6 });
  assert.deepEqual([image.width, image.height], [64, 64]);
});

test('txt2img refuses invalid requests with the code and the field', async () => {
  const refusals = [
    [JSON.stringify({ ...parameters, steps: 99 }), 400, 'invalid_parameter', 'steps'],
    [JSON.stringify({ ...parameters, width: 70 }), 400, 'invalid_parameter', 'width'],
    [JSON.stringify({ ...parameters, t_index_list: [70] }), 400, 'invalid_parameter', 't_index_list'],
    [JSON.stringify({ ...parameters, colour: 'red' }), 400, 'invalid_parameter', 'colour'],
    ['[1, 2]', 400, 'invalid_parameter', 'parameters'],
    ['{"prompt":', 400, 'invalid_message', undefined],
    [JSON.stringify({ prompt: 'x'.repeat(1e6) }), 413, 'message_too_large', undefined],
  ] as const;
  for (const [body, status, code, field] of refusals) {
    const answer = await post(body);
    const { error } = (await answer.json()) as { error: { code: string; field?: string; message: string } };
    assert.deepEqual([answer.status, error.code, error.field], [status, code, field], error.message);
  }
  assert.equal((await post(JSON.stringify(parameters))).status, 200);
});

test('txt2img refuses pages of other origins', async () => {
  const answer = await post(JSON.stringify(parameters), { origin: 'https://elsewhere.example' });
  assert.equal(answer.status, 403);
  assert.equal((await post(JSON.stringify(parameters), { origin: server.url })).status, 200);
});

test('txt2img limits concurrent images, and answers others with Retry-After', async () => {
  await using small = await startServer({ maxSessions: 1 });
  await small.app.ready();
  const body = JSON.stringify({ ...parameters, width: 256, height: 256, t_index_list: [0, 10, 20, 30, 40] });
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
  const answers = await Promise.all([1, 2, 3, 4].map(() => fetch(`${small.url}/v1/txt2img`, init)));
  const outcomes = answers.map(({ status, headers }) => [status, headers.get('retry-after')]);
  const refused = [503, '1'];
  assert.deepEqual(
    outcomes.sort(([a], [b]) => Number(a) - Number(b)),
    [[200, null], refused, refused, refused],
  );
});

test('txt2img counts images against the limits of a token, like sessions and frames', async () => {
  const jwtSecret = 'a secret of at least 32 bytes for the tests';
  await using guarded = await startServer({ jwtSecret });
  await guarded.app.ready();
  const { SignJWT } = await import('jose');
  const token = await new SignJWT({ millrace: { fps: 0.001 } })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('somebody')
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(jwtSecret));
  const ask = async (): Promise<Response> =>
    fetch(`${guarded.url}/v1/txt2img`, {
      method: 'POST',
      body: JSON.stringify(parameters),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    });
  assert.equal((await ask()).status, 200);
  const askedAt = performance.now();
  const refused = await ask();
  assert.ok(performance.now() - askedAt > 240, 'a client that tries again at once has to wait');
  const { error } = (await refused.json()) as { error: { code: string } };
  assert.deepEqual([refused.status, error.code], [429, 'rate_limited']);
  const seconds = Number(refused.headers.get('retry-after'));
  assert.ok(seconds > 900 && seconds <= 1000, `${seconds} s until the next of 0.001 images per second`);
});

test('txt2img reports when the next image is allowed after the limit per minute', async () => {
  await using limited = await startServer({ maxImagesPerMinute: 2 });
  await limited.app.ready();
  const ask = async (): Promise<Response> =>
    fetch(`${limited.url}/v1/txt2img`, {
      method: 'POST',
      body: JSON.stringify({ steps: 'many' }),
      headers: { 'content-type': 'application/json' },
    });
  const statuses = [await ask(), await ask(), await ask()].map(({ status }) => status);
  assert.deepEqual(statuses, [400, 400, 429]);
  const seconds = Number((await ask()).headers.get('retry-after'));
  assert.ok(seconds > 0 && seconds <= 30, `${seconds} s until the next of two in a minute`);
});

test('txt2img stops making an image when the client disconnects', async () => {
  await using own = await startServer();
  await own.app.ready();
  const rows = async (): Promise<number> => {
    const metrics = await (await fetch(`${own.url}/metrics`)).text();
    return Number(/^millrace_inference_rows_sum (\d+)/m.exec(metrics)?.[1] ?? 0);
  };
  const t_index_list = Array.from({ length: 50 }, (_, step) => step);
  const body = JSON.stringify({ ...parameters, width: 256, height: 256, t_index_list });
  const gone = new AbortController();
  const answer = fetch(`${own.url}/v1/txt2img`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
    signal: gone.signal,
  });
  const answered = answer.then(() => Infinity);
  while ((await Promise.race([answered, rows()])) === 0);
  gone.abort();
  await assert.rejects(answer, { name: 'AbortError' });
  // The next image is made immediately, and the engine has not run all steps of the previous one.
  const next = await fetch(`${own.url}/v1/txt2img`, {
    method: 'POST',
    body: JSON.stringify(parameters),
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(next.status, 200);
  assert.ok((await rows()) < 50, `${await rows()} rows`);
});

test('txt2img blurs an image that the safety checker flags, and says so in a header', async () => {
  await using model = await ModelCopy.create(tinyModel);
  const checker = { enabled: true, image_size: 8, image_mean: [0, 0, 0], image_std: [1, 1, 1] };
  await writeSafetyChecker(model.folder, classifierGraph(1, { weights: [1, 1, 1] }).graph, checker);
  await using guarded = await startServer({ model: model.folder });
  await guarded.app.ready();
  const request = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const body = JSON.stringify(parameters);
  const flagged = await fetch(`${guarded.url}/v1/txt2img`, { ...request, body });
  const plain = await post(body);
  assert.deepEqual(
    [flagged, plain].map(({ status, headers }) => [status, headers.get('millrace-flagged')]),
    [
      [200, 'true'],
      [200, null],
    ],
  );
  // A blurred image has few details to encode.
  const sizes = await Promise.all(
    [flagged, plain].map(async (answer) => (await answer.arrayBuffer()).byteLength),
  );
  assert.ok((sizes[0] ?? NaN) < (sizes[1] ?? NaN), sizes.join());
});

test('txt2img makes no images once the server drains', async () => {
  assert.equal((await fetch(`${server.url}/v1/admin/drain`, { method: 'POST' })).status, 202);
  const answer = await post(JSON.stringify(parameters));
  const { error } = (await answer.json()) as { error: { code: string } };
  assert.deepEqual([answer.status, error.code], [503, 'shutting_down']);
});
