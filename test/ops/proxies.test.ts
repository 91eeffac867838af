import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { subprotocol } from '@millrace/protocol';
import { WebSocket, type ClientOptions } from 'ws';
import { makeCertificate, openssl } from '../support/certificate.js';
import { motionJpegFrames } from '../support/frames.js';
import { freePort } from '../support/free-port.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';
import { assertKnownSettings } from './known-settings.js';
import { findProgram } from './programs.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const site = 'https://millrace.example';

/** The paths and addresses of the test, in place of those in the configuration. */
interface Place {
  readonly folder: string;
  /** PEM files; the combined one holds both. */
  readonly certificate: string;
  readonly key: string;
  readonly combined: string;
  readonly port: number;
  /** `host:port` of the server behind the proxy. */
  readonly server: string;
}

interface Proxy {
  readonly program: string;
  readonly file: string;
  /** Returns the configuration with the paths and addresses of the test. */
  readonly adapt: (configuration: string, place: Place) => string;
  readonly args: (file: string) => readonly string[];
}

const proxies: readonly Proxy[] = [
  {
    program: 'nginx',
    file: 'nginx.conf',
    adapt: (text, { folder, certificate, key, port, server }) => `
      daemon off; pid ${folder}/nginx.pid; error_log stderr; worker_processes 1; user root;
      events {}
      http {
        access_log off;
        ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
        ${text
          .replace('/etc/ssl/millrace.example.pem', certificate)
          .replace('/etc/ssl/private/millrace.example.key', key)
          .replace('listen 443', `listen 127.0.0.1:${port}`)
          .replace('127.0.0.1:8420', server)}
      }`,
    args: (file) => ['-e', 'stderr', '-c', file],
  },
  {
    program: 'haproxy',
    file: 'haproxy.cfg',
    adapt: (text, { combined, port, server }) =>
      text
        .replace('/etc/ssl/private/millrace.example.pem', combined)
        .replace('bind :443', `bind 127.0.0.1:${port}`)
        .replace('127.0.0.1:8420', server),
    args: (file) => ['-db', '-f', file],
  },
  {
    program: 'caddy',
    file: 'Caddyfile',
    adapt: (text, { certificate, key, port, server }) =>
      `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${text
        .replace(/^millrace\.example \{$/m, `https://millrace.example:${port} {\n\ttls ${certificate} ${key}`)
        .replace('127.0.0.1:8420', server)}`,
    args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
  },
];

for (const proxy of proxies) {
  const program = findProgram(proxy.program);
  describe(`ops/proxies/${proxy.file}`, { skip: program.skip || openssl.skip }, () => {
    let place: Place;
    let server: TestServer;
    let stop: () => Promise<unknown> = () => Promise.resolve();

    before(async () => {
      server = await startServer({ allowedOrigins: [site] });
      await server.app.ready();
      place = await makePlace(new URL(server.url).host);
      const text = await readFile(join(repositoryRoot, 'ops/proxies', proxy.file), 'utf8');
      const file = join(place.folder, proxy.file);
      await writeFile(file, proxy.adapt(text, place));
      const env = { ...process.env, HOME: place.folder, XDG_DATA_HOME: place.folder };
      const child = spawn(program.path, proxy.args(file), { env, stdio: ['ignore', 'ignore', 'pipe'] });
      let output = '';
      child.stderr.on('data', (data: Buffer) => (output += data.toString()));
      const ended = once(child, 'close');
      stop = () => {
        child.kill();
        return ended;
      };
      while ((await statusOf('/readyz', place.port)) !== 200) {
        if (child.exitCode !== null) throw new Error(`${proxy.program} exited early: ${output}`);
        await pause(50);
      }
    });

    after(async () => {
      await stop();
      await server[Symbol.asyncDispose]();
      await rm(place.folder, { recursive: true });
    });

    it('passes requests on, but hides the metrics', async () => {
      assert.equal(await statusOf('/v1/capabilities', place.port), 200);
      assert.equal(await statusOf('/metrics', place.port), 404);
    });

    it('makes no client the operator, whatever host name it sends', async () => {
      for (const host of ['localhost', '127.0.0.1:8420', 'millrace.example']) {
        await statusOf('/v1/admin/drain', place.port, { method: 'POST', host });
        assert.equal(await statusOf('/readyz', place.port), 200, `drained by ${host}`);
      }
    });

    it('passes a stream on, only from its own pages', async () => {
      const url = `wss://127.0.0.1:${place.port}/v1/stream`;
      const options = {
        rejectUnauthorized: false,
        servername: 'millrace.example',
        headers: { host: 'millrace.example' },
      };
      await using client = await StreamClient.connect(url, { ...options, origin: site });
      client.send({ type: 'hello', parameters: { width: 64, height: 64 } });
      await client.first('ready');
      assert.equal((await client.generate(0, picture)).type, 'result');
      assert.equal(await refusal(url, { ...options, origin: 'https://evil.example' }), 403);
    });
  });
}

describe('ops/proxies', () => {
  it('names only existing settings', async () => {
    for (const { file } of proxies) {
      assertKnownSettings(await readFile(join(repositoryRoot, 'ops/proxies', file), 'utf8'));
    }
  });
});

/** Returns the status with which an upgrade is refused. */
async function refusal(url: string, options: ClientOptions): Promise<number | undefined> {
  const socket = new WebSocket(url, subprotocol, options);
  return new Promise((resolve, reject) => {
    socket.on('open', () => reject(new Error('the upgrade was not refused')));
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    socket.on('error', () => {});
  });
}

async function makePlace(server: string): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-proxy-'));
  const combined = join(folder, 'both.pem');
  const { certificate, key } = makeCertificate(folder, 'DNS:millrace.example');
  await writeFile(combined, (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8')));
  return { folder, certificate, key, combined, port: await freePort(), server };
}

/** Returns the status of a request through the proxy; null if the connection fails. */
async function statusOf(
  path: string,
  port: number,
  { method = 'GET', host = 'millrace.example' } = {},
): Promise<number | null> {
  return new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      method,
      servername: 'millrace.example',
      rejectUnauthorized: false,
      headers: { host },
    };
    request(options, (response) => {
      response.resume();
      resolve(response.statusCode ?? null);
    })
      .on('error', () => resolve(null))
      .end();
  });
}
