import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeImage } from '../../../src/image/decode.js';
import { motionJpegFrames } from '../../support/frames.js';
import { startServer, type TestServer } from '../../support/server.js';
import { DemoPage, take } from './demo-page.js';
import { TalkingSocket } from './talking-socket.js';
import { accessToken, jwtSecret } from './token.js';

const frames = motionJpegFrames('walkers.mjpeg');
const picture = frames[0];
const other = frames.at(-1)!;
const small = { prompt: 'a fox', width: 64, height: 64 };

interface Settings {
  readonly info: { readonly properties: Readonly<Record<string, { readonly default: string }>> };
  readonly input_params: {
    readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  readonly max_queue_size: number;
  readonly page_content: string;
}

describe('the protocol of the demo pages', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ compat: ['demo'], maxSessions: 4, queueLength: 0 });
    await server.app.ready();
  });
  after(() => server[Symbol.asyncDispose]());

  const get = async (path: string): Promise<unknown> => (await fetch(`${server.url}${path}`)).json();

  it('describes the model in the form from which the page builds itself', async () => {
    const { info, input_params, max_queue_size, page_content } = (await get('/api/settings')) as Settings;
    assert.equal(info.properties['input_mode']?.default, 'image');
    assert.equal(max_queue_size, 4);
    assert.match(page_content, /^<h1>.+<\/h1><p>[^<]*<\/p>$/);
    const { prompt, strength, width, seed, similar_image_filter: filter } = input_params.properties;
    assert.deepEqual([prompt?.['field'], prompt?.['hide'], prompt?.['id']], ['textarea', false, 'prompt']);
    assert.deepEqual([strength?.['field'], strength?.['min'], strength?.['max']], ['range', 0, 1]);
    assert.equal(typeof width?.['default'], 'number');
    assert.deepEqual([seed?.['field'], filter?.['field']], ['seed', 'checkbox']);
    for (const [name, field] of Object.entries(input_params.properties)) {
      assert.notEqual(field['default'], undefined, name);
      assert.notEqual(field['default'], null, name);
    }
  });

  it('paints the pictures of a page, which shows them as Motion JPEG', async () => {
    await using page = new DemoPage(server.url, small, picture);
    await page.status('connected');
    assert.deepEqual(
      page.statuses.slice(0, 2).map(({ status }) => status),
      ['connected', 'send_frame'],
    );
    assert.deepEqual(await get('/api/queue'), { queue_size: 1 });
    for (const file of await take(page.pictures(), 5)) {
      const { width, height } = await decodeImage(file, { maxPixels: 1e6 });
      assert.deepEqual([width, height], [64, 64]);
    }
    assert.ok(page.asked >= 5, `${page.asked}`);
  });

  it('paints with the parameters that come with each picture', async () => {
    await using page = new DemoPage(server.url, { ...small, seed: 1 }, picture);
    await page.status('connected');
    const pictures = page.pictures();
    const before = await next(pictures);
    page.parameters = { ...small, seed: 5e15, unknown: 'ignored', negative_prompt: null };
    assert.notDeepEqual(await changed(pictures, before), before);
  });

  it('sends each picture twice to browsers that show a part when the next one begins', async () => {
    await using page = new DemoPage(server.url, small, picture);
    await page.status('connected');
    const chromium = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/143.0.0.0 Safari/537.36';
    const [first, second] = await take(page.pictures(chromium), 2);
    assert.deepEqual(first, second);
  });

  it('keeps the newest result for a viewer, and processes nothing more without one', async () => {
    await using page = new DemoPage(server.url, small, picture);
    await page.status('connected');
    await page.talk.until(() => (page.asked >= 2 ? true : undefined));
    const before = page.asked;
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(page.asked <= before + 4, `asked for ${page.asked} pictures`);
    assert.equal((await take(page.pictures(), 3)).length, 3);
  });

  it('asks again, after a pause, when the page has no picture yet', async () => {
    await using page = new DemoPage(server.url, small, new Uint8Array());
    await page.talk.until(() => (page.asked >= 3 ? true : undefined));
    page.picture = picture;
    assert.equal((await take(page.pictures(), 1)).length, 1);
  });

  const wrong: readonly (readonly [string, object, Uint8Array, RegExp])[] = [
    ['a value out of range', { ...small, steps: 99 }, picture, /steps must be/],
    ['a file that is no picture', small, Uint8Array.from({ length: 2000 }, () => 7), /JPEG, PNG or WebP/],
  ];
  for (const [what, parameters, file, message] of wrong) {
    it(`says what is wrong with ${what}, and closes`, async () => {
      await using page = new DemoPage(server.url, parameters, file);
      assert.match((await page.status('error')).message ?? '', message);
      assert.equal((await page.talk.closed).code, 1008);
    });
  }

  const garbled: readonly (readonly [string, readonly (string | Uint8Array)[], RegExp])[] = [
    ['bytes for words', [picture], /the status must come next/],
    ['words that are not JSON', ['next_frame'], /not JSON/],
    ['a list', ['[]'], /must be an object/],
    ['another status', ['{"status":"hello"}'], /status must be next_frame/],
    ['words for a picture', ['{"status":"next_frame"}', '{}', '{}'], /the picture must come next/],
    ['too many values', [`{"status":[${'0,'.repeat(5000)}0]}`], /more than 4096 commas/],
  ];
  for (const [what, messages, message] of garbled) {
    it(`refuses ${what} in the form of the protocol`, async () => {
      await using talk = await new TalkingSocket(
        `${server.url.replace('http', 'ws')}/api/ws/01234567-89ab-cdef-0123-456789abcdef`,
      ).open();
      for (const data of messages) talk.socket.send(data);
      const error = await talk.until((heard) => heard.find((text) => String(text).includes('"error"')));
      assert.match(String(error), message);
      assert.deepEqual(await talk.closed, { code: 4400, reason: 'invalid_message' });
    });
  }

  it('has no stream for somebody else, and a few viewers for each', async () => {
    const missing = await fetch(`${server.url}/api/stream/01234567-89ab-cdef-0123-456789abcdef`);
    assert.equal(missing.status, 404);
    assert.match(((await missing.json()) as { detail: string }).detail, /not found/);
    await using page = new DemoPage(server.url, small, picture);
    await page.status('connected');
    const stop = new AbortController();
    const viewers = [1, 2, 3, 4, 5].map(async () =>
      fetch(`${server.url}/api/stream/${page.id}`, { signal: stop.signal }),
    );
    const statuses = await Promise.all(viewers.map(async (viewer) => (await viewer).status));
    assert.deepEqual(
      statuses.sort((a, b) => a - b),
      [200, 200, 200, 200, 429],
    );
    stop.abort();
    const head = await fetch(`${server.url}/api/stream/${page.id}`, { method: 'HEAD' });
    assert.equal(head.status, 404);
  });

  it('ends the stream with its page, which leaves its slot at once', async () => {
    const page = new DemoPage(server.url, small, picture);
    await page.status('connected');
    const all = take(page.pictures(), Infinity);
    page.talk.socket.terminate();
    await all;
    while (JSON.stringify(await get('/api/queue')) !== '{"queue_size":0}') {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });

  it('tells a page when all slots are taken', async () => {
    await using full = await startServer({ compat: ['demo'], maxSessions: 1, queueLength: 0 });
    await full.app.ready();
    await using first = new DemoPage(full.url, small, picture);
    await first.status('connected');
    await using second = new DemoPage(full.url, small, other);
    assert.match((await second.status('error')).message ?? '', /limit on sessions/);
    assert.equal((await second.talk.closed).code, 1013);
  });
});

it('a page needs a token where sessions need one, in a header or in its address', async () => {
  await using server = await startServer({ compat: ['demo'], jwtSecret });
  await server.app.ready();
  const key = await accessToken();
  await using stranger = new DemoPage(server.url, small, picture);
  assert.match((await stranger.status('error')).message ?? '', /token/);
  assert.equal((await stranger.talk.closed).code, 4401);
  await using byHeader = new DemoPage(server.url, small, picture, {
    headers: { authorization: `Bearer ${key}` },
  });
  await byHeader.status('connected');
  await using byAddress = new DemoPage(server.url, small, picture, { query: `?token=${key}` });
  await byAddress.status('connected');
});

it('pages of other origins are refused, and a server that was not asked to speaks no other protocol', async () => {
  await using plain = await startServer();
  await using nobody = new TalkingSocket(
    `${plain.url.replace('http', 'ws')}/api/ws/01234567-89ab-cdef-0123-456789abcdef`,
  );
  assert.equal((await nobody.closed).code, 1006);
  for (const path of ['/api/settings', '/api/queue', '/health', '/v1/models']) {
    assert.equal((await fetch(plain.url + path)).status, 404, path);
  }
  await using server = await startServer({ compat: ['demo'] });
  await using foreign = new DemoPage(server.url, small, picture, { origin: 'https://evil.example' });
  assert.equal((await foreign.talk.closed).code, 1006);
  assert.deepEqual(foreign.statuses, []);
});

async function next(pictures: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const { value } = (await pictures.next()) as { readonly value: Uint8Array };
  return value;
}

/** Waits for a picture that differs from this one. */
async function changed(pictures: AsyncGenerator<Uint8Array>, before: Uint8Array): Promise<Uint8Array> {
  for (let i = 0; i < 100; i += 1) {
    const picture = await next(pictures);
    if (Buffer.compare(picture, before) !== 0) return picture;
  }
  return before;
}
