import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { connect, type MillraceError, type WebSocketLike } from '@millrace/client';
import { WebSocket } from 'ws';
import { startServer } from '../../support/server.js';
import { ProtocolServer } from './protocol-server.js';

/** Answers the next `hello` with an error. */
async function refuse(server: ProtocolServer, code: 'not_ready' | 'shutting_down'): Promise<void> {
  const peer = await server.accept();
  await peer.receive('hello');
  peer.send({ type: 'error', code, message: `it is ${code}` });
  peer.close(code === 'not_ready' ? 1013 : 1001, code);
}

for (const code of ['not_ready', 'shutting_down'] as const) {
  test(`connect waits for a server that is ${code}, and reports it`, async () => {
    await using server = await ProtocolServer.start();
    const reasons: string[] = [];
    const waiting = (reason: MillraceError): unknown => reasons.push(reason.code);
    const connecting = connect(server.url, { webSocket: WebSocket, waiting });
    await refuse(server, code);
    await refuse(server, code);
    await (await server.accept()).greet();
    await (await connecting).close();
    assert.deepEqual(reasons, [code, code]);
  });
}

test('connect waits no longer than waitSeconds', async () => {
  await using server = await ProtocolServer.start();
  const atOnce = connect(server.url, { webSocket: WebSocket, waitSeconds: 0 });
  const refused = assert.rejects(atOnce, { code: 'not_ready', message: 'it is not_ready' });
  await refuse(server, 'not_ready');
  await refused;

  const over = new AbortController();
  const short = connect(server.url, { webSocket: WebSocket, waitSeconds: 0.3 });
  const given = assert.rejects(short, { code: 'not_ready' }).finally(() => over.abort());
  while (!over.signal.aborted) await Promise.race([refuse(server, 'not_ready'), given]);
});

test('connect does not wait for other refusals', async () => {
  await using server = await ProtocolServer.start();
  const full = connect(server.url, { webSocket: WebSocket });
  const rejected = assert.rejects(full, { code: 'too_many_sessions' });
  const peer = await server.accept();
  await peer.receive('hello');
  peer.send({ type: 'error', code: 'too_many_sessions', message: 'full' });
  await rejected;
});

test('connect waits for a real server that has just been started', async () => {
  await using server = await startServer();
  const stream = await connect(server.url, { webSocket: WebSocket, parameters: { width: 64, height: 64 } });
  await stream.close();
});

interface Refusal {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts a server that refuses every upgrade, and answers plain requests in the same way. */
async function refusing({
  status,
  body,
  headers = {},
}: Refusal): Promise<AsyncDisposable & { readonly url: string }> {
  const answer = { 'content-type': 'application/json', ...headers };
  const server = createServer((_request, response) => response.writeHead(status, answer).end(body));
  server.on('upgrade', (_request, socket) => {
    const lines = Object.entries(answer).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} Refused\r\nconnection: close\r\n${lines.join('')}\r\n${body}`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A WebSocket like that of browsers, which hides HTTP answers. */
class BareWebSocket implements WebSocketLike {
  readonly #socket: WebSocket;
  binaryType = 'arraybuffer';

  constructor(url: string, protocols: string) {
    this.#socket = new WebSocket(url, protocols);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.on('error', () => {});
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#socket.addEventListener(type as 'message', listener as () => void);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }
}

const full = JSON.stringify({ error: { code: 'too_many_sessions', message: 'full' } });
const foreign = JSON.stringify({ error: { code: 'forbidden_origin', message: 'not from there' } });
const future = JSON.stringify({ error: { code: 'gremlins', message: 'something new' } });
const upgrade = JSON.stringify({ error: { code: 'unsupported_protocol', message: 'use WebSocket' } });

for (const webSocket of [WebSocket, BareWebSocket]) {
  const { name } = webSocket;
  for (const [what, refusal, error] of [
    [
      'a full server',
      { status: 503, body: full, headers: { 'retry-after': '7' } },
      { code: 'too_many_sessions', message: 'full', retryAfter: 7, retryable: true },
    ],
    ['a foreign origin', { status: 403, body: foreign }, { code: 'forbidden_origin', retryable: false }],
    [
      'a newer server',
      { status: 418, body: future },
      { code: 'unknown_error', message: /gremlins/, retryable: true },
    ],
    ['something else', { status: 502, body: '<html>' }, { code: 'connection_failed', message: /502/ }],
  ] as const) {
    test(`${name}: the refusal of ${what} gives the reason`, async () => {
      await using server = await refusing(refusal);
      await assert.rejects(connect(server.url, { webSocket }), error);
    });
  }
}

test('if the runtime gives no reason and the server would accept a stream, the error names the proxy', async () => {
  await using server = await refusing({ status: 426, body: upgrade });
  await assert.rejects(connect(server.url, { webSocket: BareWebSocket }), {
    code: 'connection_failed',
    message: /check that the proxy in front of it forwards upgrades/,
  });
});

test('a client whose runtime gives no reason gets the slot that is freed right after the refusal', async () => {
  await using server = await startServer({ maxSessions: 1, queueLength: 0 });
  await server.app.ready();
  const first = await connect(server.url, { webSocket: WebSocket, parameters: { width: 64, height: 64 } });
  const freed = async (): Promise<void> => {
    await first.close();
    const served = async (): Promise<number> => {
      const answer = await fetch(`${server.url}/readyz`);
      return ((await answer.json()) as { sessions: { served: number } }).sessions.served;
    };
    while ((await served()) > 0) await new Promise(setImmediate);
  };
  let refusals = 0;
  /** Frees the slot before its client learns that it was refused. */
  class LateWebSocket extends BareWebSocket {
    override addEventListener(type: string, listener: (event: never) => void): void {
      super.addEventListener(type, (event) => {
        if (type !== 'close' || first.closed) return listener(event);
        refusals += 1;
        void freed().then(() => listener(event));
      });
    }
  }
  const second = await connect(server.url, { webSocket: LateWebSocket });
  assert.equal(refusals, 1);
  await second.close();
});

test('a real server reports a refused origin, even if the runtime does not', async () => {
  await using server = await startServer();
  const origin = 'https://page.example';
  class ForeignWebSocket extends WebSocket {
    constructor(url: string, protocols: string) {
      super(url, protocols, { origin });
    }
  }
  await assert.rejects(connect(server.url, { webSocket: ForeignWebSocket }), {
    code: 'forbidden_origin',
    retryable: false,
  });
  // The answer to a page of that origin.
  const answer = await fetch(`${server.url}/v1/stream`, { headers: { origin } });
  const { error } = (await answer.json()) as { error: { code: string } };
  const headers: IncomingHttpHeaders = Object.fromEntries(answer.headers);
  assert.deepEqual(
    [answer.status, error.code, headers['access-control-allow-origin']],
    [403, 'forbidden_origin', '*'],
  );
  assert.equal((await fetch(`${server.url}/v1/stream`)).status, 426);
});

test('a server that sends Retry-After is not asked earlier', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const starting = JSON.stringify({ error: { code: 'shutting_down', message: 'a moment' } });
  let attempts = 0;
  await using server = await refusing({ status: 503, body: starting, headers: { 'retry-after': '30' } });
  const controller = new AbortController();
  const reported = new Promise<void>((resolve) => {
    const connecting = connect(server.url, {
      webSocket: WebSocket,
      signal: controller.signal,
      waiting: ({ retryAfter }) => {
        attempts += 1;
        assert.equal(retryAfter, 30);
        resolve();
      },
    });
    connecting.catch(() => {});
  });
  await reported;
  await new Promise(setImmediate);
  // The longest pause of the backoff.
  t.mock.timers.tick(8000);
  await new Promise(setImmediate);
  assert.equal(attempts, 1);
  controller.abort();
});
