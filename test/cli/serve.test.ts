import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { packagePath } from '../../src/package.js';
import { freePort } from '../support/free-port.js';
import { repositoryRoot } from '../support/reference.js';
import { StreamClient } from '../support/stream-client.js';
import { tinyModel } from '../support/engine.js';

/** A process of `millrace serve` with the tiny model. */
class Serve implements AsyncDisposable {
  readonly #process: ChildProcess;
  output = '';
  errorOutput = '';
  readonly exit: Promise<number>;
  readonly end: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;

  constructor(...flags: string[]) {
    const main = join(repositoryRoot, 'dist/src/cli/main.js');
    const common = [
      '--port',
      '0',
      '--model',
      tinyModel,
      '--cache-directory',
      '',
      '--log-format',
      'json',
      '--drain-seconds',
      '0',
    ];
    this.#process = spawn(process.execPath, [main, 'serve', ...common, ...flags]);
    this.#process.stdout?.on('data', (data: Buffer) => (this.output += data.toString()));
    this.#process.stderr?.on('data', (data: Buffer) => (this.errorOutput += data.toString()));
    this.end = new Promise((resolve) => {
      this.#process.once('close', (code, signal) => resolve({ code, signal }));
    });
    this.exit = this.end.then(({ code }) => Number(code));
  }

  /** Waits until the server is ready. Returns the address that it prints. */
  async ready(): Promise<string> {
    for (;;) {
      const found = /ready: open (http:\S+) in a browser/.exec(this.output);
      if (found?.[1] !== undefined) return found[1];
      assert.ok(this.#process.stdout);
      await Promise.race([
        once(this.#process.stdout, 'data'),
        this.exit.then(() => Promise.reject(new Error(`it exited early: ${this.errorOutput}`))),
      ]);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGKILL');
    await this.exit;
  }
}

describe('millrace serve', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-serve-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('serves until SIGTERM, notifies its clients, and exits with 0', async () => {
    await using serve = new Serve();
    const url = await serve.ready();
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    const client = await StreamClient.open(`${url.replace('http', 'ws')}/v1/stream`);
    serve.signal('SIGTERM');
    assert.deepEqual(await client.closed, { code: 1001, reason: 'shutting_down' });
    assert.equal(await serve.exit, 0);
    assert.equal(serve.errorOutput, '');
    for (const line of serve.output.trim().split('\n')) assert.equal(typeof JSON.parse(line), 'object');
  });

  it('exits soon on a signal at any moment of its start', async () => {
    const moments = [
      'starting the inference thread',
      'loading the U-Net',
      'warming up',
      'measuring the cost of a U-Net call',
    ];
    for (const [i, moment] of moments.entries()) {
      const signal = i % 2 === 0 ? 'SIGTERM' : 'SIGINT';
      await using serve = new Serve(
        '--drain-seconds',
        '600',
        '--model',
        packagePath('ops/models/millrace-styles'),
        // Without a comparison, which comes before most of these moments.
        '--precision',
        'float',
      );
      while (!serve.output.includes(moment)) await new Promise((resolve) => setTimeout(resolve, 5));
      serve.signal(signal);
      const end = await serve.end;
      assert.ok(end.code === 0 || end.signal === signal, `${moment}: ${JSON.stringify(end)}`);
      assert.equal(serve.errorOutput, '', moment);
    }
  });

  it('continues after uncaught errors, and logs them; after Ctrl-C, it does not wait for clients to move elsewhere', async () => {
    const faults = "setTimeout(()=>{throw new Error('struck')});Promise.reject(new Error('broken'))";
    const preload =
      "import{isMainThread}from'node:worker_threads';" +
      `if(isMainThread)process.on('SIGUSR2',()=>{${faults}})`;
    process.env['NODE_OPTIONS'] = `--import=data:text/javascript,${encodeURIComponent(preload)}`;
    await using serve = new Serve('--drain-seconds', '600');
    delete process.env['NODE_OPTIONS'];
    const url = await serve.ready();
    await using client = await StreamClient.open(`${url.replace('http', 'ws')}/v1/stream`);
    serve.signal('SIGUSR2');
    while (!serve.output.includes('struck') || !serve.output.includes('broken')) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    client.send({ type: 'ping', sent: 0 });
    await client.first('pong');
    assert.match(await (await fetch(`${url}/metrics`)).text(), /millrace_errors_total\{code="internal"\} 2/);
    serve.signal('SIGINT');
    assert.deepEqual(await client.closed, { code: 1001, reason: 'shutting_down' });
    assert.equal(await serve.exit, 0);
  });

  it('is killed at once by the second signal', async () => {
    await using serve = new Serve();
    const url = await serve.ready();
    const client = await StreamClient.connect(`${url.replace('http', 'ws')}/v1/stream`);
    // It would wait for a peer that reads nothing.
    client.socket.pause();
    serve.signal('SIGINT');
    while (!serve.output.includes('shutting down')) await new Promise((resolve) => setTimeout(resolve, 5));
    serve.signal('SIGTERM');
    assert.deepEqual(await serve.end, { code: null, signal: 'SIGTERM' });
    client.socket.terminate();
  });

  it('reports a port that is in use', async () => {
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    assert.ok(typeof address === 'object' && address);
    await using serve = new Serve('--port', String(address.port));
    assert.equal(await serve.exit, 1);
    assert.match(serve.errorOutput, new RegExp(`^millrace: port ${address.port} is in use; .*--port\n$`));
    await using asked = new Serve('--agent-port', String(address.port));
    assert.equal(await asked.exit, 1);
    assert.match(
      asked.errorOutput,
      new RegExp(`^millrace: port ${address.port} of the agent is in use; .*--agent-port\n$`),
    );
    const port = String(await freePort());
    await using twice = new Serve(
      '--port',
      port,
      '--agent-port',
      port,
      '--resume-key',
      'the key of the fleet',
    );
    assert.equal(await twice.exit, 1);
    assert.equal(
      twice.errorOutput,
      `millrace: --port and --agent-port are both ${port}; choose another for one of them\n`,
    );
  });

  it('names the missing or broken file of a model', async () => {
    const broken = join(folder, 'broken');
    await cp(tinyModel, broken, { recursive: true });
    await truncate(join(broken, 'unet/model.onnx'), 1000);
    const incomplete = join(folder, 'incomplete');
    await cp(tinyModel, incomplete, { recursive: true });
    await rm(join(incomplete, 'vae_decoder/model.onnx'));
    const cases = [
      [join(folder, 'none'), /^millrace: \S+none: no such folder; [^\n]+\n$/],
      [incomplete, /^millrace: \S+vae_decoder\/model\.onnx: [^\n]+\n$/],
      [broken, /^millrace: [^\n]*unet\/model\.onnx[^\n]+\n$/],
    ] as const;
    for (const [model, complaint] of cases) {
      await using serve = new Serve('--model', model);
      assert.equal(await serve.exit, 1);
      assert.match(serve.errorOutput, complaint);
    }
  });

  it('names a wrong setting, and exits with 2', async () => {
    await using serve = new Serve('--max-sessions', 'many');
    assert.equal(await serve.exit, 2);
    assert.match(serve.errorOutput, /^millrace: --max-sessions must be an integer [^\n]+"many"\n$/);
    await using trusting = new Serve('--trusted-proxies', '10.0.0.0/8,haproxy');
    assert.equal(await trusting.exit, 2);
    assert.match(trusting.errorOutput, /^millrace: --trusted-proxies: "haproxy" is neither [^\n]+\n$/);
  });

  it('does not listen on other interfaces without authentication unless told to, and writes a readable log if asked to', async () => {
    await using refused = new Serve('--host', '0.0.0.0');
    assert.equal(await refused.exit, 2);
    assert.match(refused.errorOutput, /^millrace: --host 0\.0\.0\.0 [^\n]*--insecure-no-auth[^\n]*\n$/);

    await using serve = new Serve('--host', '0.0.0.0', '--insecure-no-auth', '--log-format', 'pretty');
    const url = await serve.ready();
    assert.match(url, /^http:\/\/localhost:\d+$/);
    serve.signal('SIGTERM');
    assert.equal(await serve.exit, 0);
    const lines = serve.output.trim().split('\n');
    for (const line of lines) assert.match(line, /^\[\d\d:\d\d:\d\d\] \w+: \S/, 'one line for each event');
    assert.ok(lines.some((line) => line.endsWith('INFO: engine: loading the U-Net')));
  });
});
