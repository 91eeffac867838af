import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { encodeMessage } from '@millrace/protocol';
import { WebSocket } from 'ws';
import { createEngines } from '../../src/engine/host/engine-group.js';
import { motionJpegFrames } from '../support/frames.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const small = { width: 64, height: 64 };

/** Returns the HTTP answer to a refused upgrade. */
async function refusal(
  url: string,
  protocols: string[],
  headers: Record<string, string> = {},
): Promise<{
  readonly status: number | undefined;
  readonly body: unknown;
  readonly retryAfter: string | undefined;
}> {
  const socket = new WebSocket(url, protocols, { headers });
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('it was not refused')));
    socket.on('error', () => {});
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          body: JSON.parse(text),
          retryAfter: response.headers['retry-after'],
        }),
      );
    });
  });
}

function codeOf(body: unknown): string {
  return (body as { error: { code: string } }).error.code;
}

describe('upgrades', () => {
  it('are refused for other paths, origins and protocols', async () => {
    await using server = await startServer({ allowedOrigins: ['https://friend.example'] });
    const { streamUrl, url } = server;
    const cases = [
      [streamUrl.replace('stream', 'other'), ['millrace.v1'], {}, 404, 'not_found'],
      [streamUrl, ['millrace.v0'], {}, 400, 'unsupported_protocol'],
      [streamUrl, [], {}, 400, 'unsupported_protocol'],
      [streamUrl, ['millrace.v1'], { origin: 'https://evil.example' }, 403, 'forbidden_origin'],
      [streamUrl, ['millrace.v1'], { origin: 'null' }, 403, 'forbidden_origin'],
    ] as const;
    for (const [address, protocols, headers, status, code] of cases) {
      const answer = await refusal(address, [...protocols], headers);
      assert.equal(answer.status, status);
      assert.equal(codeOf(answer.body), code);
    }
    for (const origin of [url, 'https://friend.example']) {
      await using client = await StreamClient.connect(streamUrl, { origin });
      assert.equal(client.socket.protocol, 'millrace.v1');
      assert.equal(client.socket.extensions, '');
    }
  });

  it(
    'that are refused leave no connection behind, even if the client keeps its end open',
    { timeout: 60_000 },
    async () => {
      const server = await startServer();
      const socket = connect({
        port: Number(new URL(server.url).port),
        host: '127.0.0.1',
        allowHalfOpen: true,
      });
      const headers = ['host: localhost', 'connection: upgrade', 'upgrade: websocket'];
      socket.write(`GET /nowhere HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.match(answer.toString(), /^HTTP\/1.1 404 /);
      await once(socket, 'end');
      // This would wait for the client.
      await server[Symbol.asyncDispose]();
      socket.destroy();
    },
  );

  it('are refused beyond the connection limit of an address', async () => {
    await using server = await startServer({ maxConnectionsPerAddress: 2 });
    const first = await StreamClient.connect(server.streamUrl);
    await using second = await StreamClient.connect(server.streamUrl);
    assert.equal(second.socket.readyState, WebSocket.OPEN);
    const { status, body } = await refusal(server.streamUrl, ['millrace.v1']);
    assert.equal(status, 429);
    assert.equal(codeOf(body), 'rate_limited');
    await first[Symbol.asyncDispose]();
    await using third = await StreamClient.connect(server.streamUrl);
    assert.equal(third.socket.readyState, WebSocket.OPEN);
  });
});

describe('new connections', () => {
  it('are refused when they come too fast from one address', async () => {
    await using server = await startServer({ maxConnectsPerMinute: 2 });
    await using first = await StreamClient.connect(server.streamUrl);
    await (await StreamClient.connect(server.streamUrl))[Symbol.asyncDispose]();
    const { status, body, retryAfter } = await refusal(server.streamUrl, ['millrace.v1']);
    assert.deepEqual([status, codeOf(body), retryAfter], [429, 'rate_limited', '60']);
    assert.equal(first.socket.readyState, WebSocket.OPEN);
  });
});

describe('connections', () => {
  it('beyond the session limit wait; beyond the queue they get an error', async () => {
    await using server = await startServer({ maxSessions: 1, queueLength: 1 });
    await server.app.ready();
    const first = await StreamClient.open(server.streamUrl, small);
    await using waiting = await StreamClient.connect(server.streamUrl);
    await using late = await StreamClient.connect(server.streamUrl);
    waiting.send({ type: 'hello', parameters: small });
    assert.equal((await waiting.first('queued')).position, 1);
    late.send({ type: 'hello', parameters: small });
    assert.deepEqual(await late.closed, { code: 1013, reason: 'too_many_sessions' });
    const { status, body, retryAfter } = await refusal(server.streamUrl, ['millrace.v1']);
    assert.equal(status, 503);
    assert.equal(codeOf(body), 'too_many_sessions');
    assert.ok(Number(retryAfter) >= 1);
    await first[Symbol.asyncDispose]();
    await waiting.first('ready');
    assert.equal((await waiting.generate(0, picture)).type, 'result');
  });

  it('that wait in the queue for too long get an error', async () => {
    await using server = await startServer({ maxSessions: 1, queueSeconds: 0.1 });
    await server.app.ready();
    await using first = await StreamClient.open(server.streamUrl, small);
    const waiting = await StreamClient.connect(server.streamUrl);
    waiting.send({ type: 'hello', parameters: small });
    assert.deepEqual(await waiting.closed, { code: 1013, reason: 'queue_timeout' });
    assert.equal((await first.generate(0, picture)).type, 'result');
  });

  it('before the engine is ready get an error', async () => {
    await using server = await startServer({}, createEngines);
    const client = await StreamClient.connect(server.streamUrl);
    client.send({ type: 'hello' });
    assert.deepEqual(await client.closed, { code: 1013, reason: 'not_ready' });
  });

  it('without hello are closed', async () => {
    await using server = await startServer({ helloTimeoutSeconds: 0.1 });
    const client = await StreamClient.connect(server.streamUrl);
    assert.deepEqual(await client.closed, { code: 4408, reason: 'hello_timeout' });
  });

  it('that answer no ping are closed, others are not', async () => {
    await using server = await startServer({ pingSeconds: 1 });
    await using lively = await StreamClient.connect(server.streamUrl);
    const silent = await StreamClient.connect(server.streamUrl, { autoPong: false });
    assert.deepEqual(await silent.closed, { code: 4408, reason: 'idle_timeout' });
    assert.equal(lively.socket.readyState, WebSocket.OPEN);
  });

  it('that send too much are read more slowly, and lose nothing', async () => {
    await using server = await startServer({ maxMessagesPerSecond: 100 });
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, small);
    for (let request = 0; request < 150; request++) {
      client.send({ type: 'update', request, parameters: { delta: -1 } });
    }
    await client.until(() => (client.all('error').length === 150 ? true : undefined));
    const { type } = await client.generate(0, picture);
    assert.equal(type, 'result');
  });

  it('are closed when the server stops', async () => {
    const server = await startServer();
    await server.app.ready();
    const client = await StreamClient.open(server.streamUrl, small);
    client.send({ type: 'frame', id: 0, captured: 0, data: picture });
    const closing = Promise.all([server[Symbol.asyncDispose](), server[Symbol.asyncDispose]()]);
    assert.equal((await client.error('shutting_down')).code, 'shutting_down');
    assert.deepEqual(await client.closed, { code: 1001, reason: 'shutting_down' });
    await closing;
    await assert.rejects(fetch(`${server.url}/healthz`));
  });

  it('whose peer does not answer a close are cut when the server stops', async () => {
    const server = await startServer();
    const client = await StreamClient.connect(server.streamUrl);
    client.socket.pause();
    await server[Symbol.asyncDispose]();
    client.socket.terminate();
    await client.closed;
  });
});

describe('messages', () => {
  it('may come in many pieces, and be as large as the limit', async () => {
    await using server = await startServer({ maxMessageBytes: 200_000 });
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, small);
    // Bytes after the end of a JPEG are ignored.
    const padded = new Uint8Array(199_900);
    padded.set(picture);
    const message = encodeMessage({ type: 'frame', id: 0, captured: 0, data: padded });
    assert.ok(message.length <= 200_000);
    client.socket.send(message.subarray(0, 70_000), { fin: false });
    client.socket.send(message.subarray(70_000), { fin: true });
    await client.until(() => client.all('result')[0]);
  });
});
