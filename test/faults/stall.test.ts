import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ParameterUpdate } from '@millrace/protocol';
import { tinyModel } from '../support/engine.js';
import { startServer } from '../support/server.js';
import { startServer as startProcess } from '../support/server-process.js';

/** A result that the client showed: when its frame was captured, and when it was shown, on the client's clock. */
interface Shown {
  readonly id: number;
  readonly captured: number;
  readonly now: number;
}

const stallMs = 1500;
/** If intervals are longer than expected by this factor, other programs use the machine: the test is skipped. */
const tooSlow = 3;

/** The client of `live-client.ts`, in its own process. */
class LiveClient implements Disposable {
  readonly shown: Shown[] = [];
  readonly process: ChildProcess;
  readonly interval: number;
  #notice: () => void = () => {};

  /** @param parameters besides its size. @param interval milliseconds from frame to frame. */
  constructor(url: string, parameters: ParameterUpdate = {}, interval = 40) {
    const script = fileURLToPath(new URL('live-client.js', import.meta.url));
    const child = spawn(process.execPath, [script, url, JSON.stringify(parameters), String(interval)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.process = child;
    this.interval = interval;
    createInterface(child.stdout).on('line', (line) => {
      this.shown.push(JSON.parse(line) as Shown);
      this.#notice();
    });
  }

  /** Waits until `count` results were shown. */
  async until(count: number): Promise<void> {
    while (this.shown.length < count) await new Promise<void>((resolve) => (this.#notice = resolve));
  }

  [Symbol.dispose](): void {
    this.process.kill('SIGKILL');
  }
}

/** Stops a process for a while; the first result that the client shows afterwards must have been captured since. */
async function assertNothingOld(t: TestContext, client: LiveClient, stopped: ChildProcess): Promise<void> {
  for (let stall = 0; stall < 2; stall++) {
    const start = client.shown.length;
    await client.until(start + 15);
    const interval = ((client.shown.at(-1)?.now ?? 0) - (client.shown[start]?.now ?? 0)) / 14;
    if (interval > tooSlow * client.interval) return t.skip('this machine is too busy');
    stopped.kill('SIGSTOP');
    // During this time, what was written before the stop is read.
    await sleep(stallMs);
    const before = client.shown.length;
    const last = client.shown.at(-1);
    stopped.kill('SIGCONT');
    await client.until(before + 2);
    const first = client.shown[before];
    assert.ok(last && first);
    assert.ok(first.now - last.now > stallMs / 2, 'it was stopped');
    assert.ok(
      first.captured > last.now + stallMs / 2,
      `the first frame shown was captured ${first.now - first.captured} ms ago`,
    );
  }
}

describe('a client that is stopped and continued', () => {
  it('shows no frame that it captured before', async (t) => {
    await using server = await startServer();
    await server.app.ready();
    using client = new LiveClient(server.streamUrl);
    await assertNothingOld(t, client, client.process);
  });
});

describe('a server that is stopped and continued', () => {
  it('sends no result of a frame that it received before', async (t) => {
    await using server = await startProcess('--model', tinyModel, '--threads', '1', '--drain-seconds', '0');
    // With this many steps there is a frame in the engine most of the time.
    using client = new LiveClient(`${server.url.replace('http', 'ws')}/v1/stream`, { steps: 10 }, 100);
    await assertNothingOld(t, client, server.child);
  });
});
