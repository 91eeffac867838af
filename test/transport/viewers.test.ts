import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { ErrorAnswer, ViewerLinks } from '@millrace/protocol';
import { eventually } from '../support/eventually.js';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const frames = motionJpegFrames('walkers.mjpeg');
const parameters = { width: 64, height: 64 };

interface Owner {
  readonly client: StreamClient;
  readonly session: string;
  readonly key: string;
}

async function openOwner(server: TestServer): Promise<Owner> {
  await server.app.ready();
  const client = await StreamClient.open(server.streamUrl, parameters);
  const [ready] = client.all('ready');
  return { client, session: ready?.session ?? '', key: ready?.key ?? '' };
}

interface AskOptions {
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(
  { url }: TestServer,
  session: string,
  { key = '', body = {}, headers = {} }: AskOptions,
): Promise<Response> {
  return fetch(`${url}/v1/sessions/${session}/links`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function makeLinks(server: TestServer, { session, key }: Owner): Promise<ViewerLinks> {
  const response = await ask(server, session, { key });
  assert.equal(response.status, 201);
  return (await response.json()) as ViewerLinks;
}

async function errorOf(response: Response): Promise<readonly [number, string]> {
  const { error } = (await response.json()) as ErrorAnswer;
  return [response.status, error.code];
}

/** Reads the pictures of an address until the server ends them, or `stop` is called. */
async function watch(
  url: string,
): Promise<{ readonly pictures: Buffer[]; readonly ended: Promise<void>; readonly stop: () => void }> {
  const abort = new AbortController();
  const response = await fetch(url, { signal: abort.signal });
  assert.equal(response.status, 200, url);
  assert.equal(response.headers.get('content-type'), 'multipart/x-mixed-replace; boundary=frame');
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  const pictures: Buffer[] = [];
  const read = async (): Promise<void> => {
    let rest = Buffer.alloc(0);
    for await (const chunk of response.body ?? []) {
      rest = Buffer.concat([rest, chunk]);
      for (;;) {
        const head = /Content-Length: (\d+)\r\n\r\n/.exec(rest.toString('latin1'));
        const start = head ? head.index + head[0].length : 0;
        const end = start + Number(head?.[1]);
        if (!head || rest.length < end) break;
        pictures.push(rest.subarray(start, end));
        rest = rest.subarray(end);
      }
    }
  };
  const ended = read().catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  return { pictures, ended, stop: () => abort.abort() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(10);
}

describe('links for viewers', () => {
  it('lead to the pictures of the owner, unchanged, until the session ends', async () => {
    await using server = await startServer();
    const owner = await openOwner(server);
    await owner.client.generate(0, frames[0] ?? new Uint8Array());
    const links = await makeLinks(server, owner);
    assert.equal(links.expires_seconds, 3600);
    assert.match(links.view, new RegExp(`^view/${owner.session}\\?key=`));
    const address = `${server.url}/${links.mjpeg}`;
    const viewer = await watch(address);
    await owner.client.generate(1, frames[1] ?? new Uint8Array());
    await until(() => viewer.pictures.length === 1);
    const result = owner.client.all('result').at(-1);
    assert.ok(result);
    assert.deepEqual(new Uint8Array(viewer.pictures[0] ?? []), new Uint8Array(result.data));
    const late = await watch(address);
    await until(() => late.pictures.length === 1);
    assert.deepEqual(late.pictures[0], viewer.pictures[0], 'somebody new sees the last picture');
    assert.equal((await fetch(address, { method: 'HEAD' })).status, 200);

    await owner.client[Symbol.asyncDispose]();
    await Promise.all([viewer.ended, late.ended]);
    assert.deepEqual(await errorOf(await fetch(address)), [404, 'not_found']);
    assert.equal((await fetch(address, { method: 'HEAD' })).status, 404);
    assert.deepEqual(await errorOf(await ask(server, owner.session, owner)), [404, 'not_found']);
  });

  it('are made for the owner alone, and for a time that the server allows', async () => {
    await using server = await startServer({ viewLinkSeconds: 60 });
    const owner = await openOwner(server);
    await using other = (await openOwner(server)).client;
    const otherKey = other.all('ready')[0]?.key ?? '';
    assert.notEqual(owner.key, otherKey);
    for (const key of ['', 'guess', otherKey, owner.session]) {
      assert.deepEqual(await errorOf(await ask(server, owner.session, { key })), [401, 'unauthorized'], key);
    }
    const { key } = owner;
    for (const seconds of [0, -1, '10', null, [], 'Infinity']) {
      const response = await ask(server, owner.session, { key, body: { seconds } });
      assert.deepEqual(await errorOf(response), [400, 'invalid_message'], JSON.stringify(seconds));
    }
    const long = await ask(server, owner.session, { key, body: { seconds: 61 } });
    assert.deepEqual(await errorOf(long), [403, 'limit_exceeded']);
    const short = (await (
      await ask(server, owner.session, { key, body: { seconds: 5 } })
    ).json()) as ViewerLinks;
    assert.equal(short.expires_seconds, 5);
    await owner.client[Symbol.asyncDispose]();
  });

  it('are refused if they are forged, of another session, or expired', async () => {
    await using server = await startServer();
    const owner = await openOwner(server);
    await using client = owner.client;
    const other = await openOwner(server);
    await using second = other.client;
    assert.ok(client !== second);
    const { mjpeg } = await makeLinks(server, owner);
    const otherKey = (await makeLinks(server, other)).mjpeg.split('?')[1];
    const { key } = owner;
    const short = await ask(server, owner.session, { key, body: { seconds: 1 } });
    const expired = ((await short.json()) as ViewerLinks).mjpeg;
    await pause(2100);
    const path = mjpeg.split('?')[0] ?? '';
    for (const wrong of [
      path,
      `${path}?key=`,
      `${mjpeg}x`,
      `${path}?${otherKey}`,
      `${mjpeg}&key=a`,
      expired,
    ]) {
      assert.deepEqual(await errorOf(await fetch(`${server.url}/${wrong}`)), [403, 'invalid_link'], wrong);
    }
  });

  it('can be switched off', async () => {
    await using server = await startServer({ maxViewersPerSession: 0 });
    const owner = await openOwner(server);
    await using client = owner.client;
    assert.deepEqual(await errorOf(await ask(server, owner.session, owner)), [403, 'limit_exceeded']);
    assert.ok(!client.socket.isPaused);
  });

  it('may be made by pages of allowed origins, and by no others', async () => {
    await using server = await startServer({ allowedOrigins: ['https://show.example'] });
    const owner = await openOwner(server);
    await using client = owner.client;
    const { key } = owner;
    const from = (origin: string): Promise<Response> =>
      ask(server, owner.session, { key, headers: { origin } });
    assert.deepEqual(await errorOf(await from('https://elsewhere.example')), [403, 'forbidden_origin']);
    const response = await from('https://show.example');
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('access-control-allow-origin'), 'https://show.example');
    const preflight = await fetch(`${server.url}/v1/sessions/${owner.session}/links`, {
      method: 'OPTIONS',
      headers: { origin: 'https://show.example', 'access-control-request-headers': 'authorization' },
    });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /authorization/);
    assert.equal(client.all('error').length, 0);
  });
});

it('a viewer whose request comes behind another one on its connection takes no place', async () => {
  await using server = await startServer();
  const owner = await openOwner(server);
  await using client = owner.client;
  const { mjpeg } = await makeLinks(server, owner);
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET /${mjpeg} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`.repeat(5));
  // Of the requests behind it, Node.js would tell nobody that the connection has closed.
  while ((await metric(server, 'millrace_viewers')) === '0') await pause(10);
  await pause(50);
  assert.equal(await metric(server, 'millrace_viewers'), '1');
  socket.destroy();
  while ((await metric(server, 'millrace_viewers')) !== '0') await pause(10);
  assert.equal(client.all('error').length, 0);
});

describe('twenty viewers and one who reads nothing', () => {
  it('take no frame from the owner, and see pictures', async () => {
    await using server = await startServer({ maxViewersPerSession: 21 });
    const owner = await openOwner(server);
    const { client } = owner;
    const { mjpeg } = await makeLinks(server, owner);
    const address = `${server.url}/${mjpeg}`;
    const viewers = await Promise.all(Array.from({ length: 20 }, () => watch(address)));
    const { hostname, port } = new URL(server.url);
    const deaf = connect(Number(port), hostname);
    deaf.pause();
    deaf.write(`GET /${mjpeg} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`);
    while (!(await metric(server, 'millrace_viewers')).startsWith('21')) await pause(10);
    assert.deepEqual(await errorOf(await fetch(address)), [503, 'too_many_viewers']);

    const count = 60;
    for (let id = 0; id < count; id++) {
      const answer = await client.generate(id, frames[id % frames.length] ?? new Uint8Array());
      assert.equal(answer.type, 'result');
    }
    const sent = client.all('result').map(({ data }) => Buffer.from(data).toString('base64'));
    assert.equal(sent.length, count, 'the owner has the results of all frames');
    for (const { pictures } of viewers) {
      await until(() => pictures.at(-1)?.toString('base64') === sent.at(-1));
      assert.ok(pictures.every((picture) => sent.includes(picture.toString('base64'))));
      assert.ok(pictures.length > count / 2, `${pictures.length} of ${count}`);
    }
    assert.ok(Number(await metric(server, 'millrace_viewer_pictures_total{result="sent"}')) > 10 * count);

    viewers[0]?.stop();
    deaf.destroy();
    while (!(await metric(server, 'millrace_viewers')).startsWith('19')) await pause(10);
    client.socket.close(1000);
    await once(client.socket, 'close');
    await Promise.all(viewers.map(({ ended }) => ended));
    await eventually(async () => assert.equal(await metric(server, 'millrace_viewers'), '0'));
  });
});

/** Returns the value of a series as text. */
async function metric({ url }: TestServer, name: string): Promise<string> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return (
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1) ?? ''
  );
}
