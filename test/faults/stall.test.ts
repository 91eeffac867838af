import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startServer } from '../support/server.js';

/** A result that the client showed: when its frame was captured, and when it was shown, on the client's clock. */
interface Shown {
  readonly id: number;
  readonly captured: number;
  readonly now: number;
}

const stallMs = 1500;

describe('a client that is stopped and goes on', () => {
  it('shows nothing that it captured before', async () => {
    await using server = await startServer();
    await server.app.ready();
    const script = fileURLToPath(new URL('live-client.js', import.meta.url));
    const client = spawn(process.execPath, [script, server.streamUrl], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const shown: Shown[] = [];
    let notice: () => void = () => {};
    createInterface(client.stdout).on('line', (line) => {
      shown.push(JSON.parse(line) as Shown);
      notice();
    });
    const until = async (count: number): Promise<void> => {
      while (shown.length < count) await new Promise<void>((resolve) => (notice = resolve));
    };
    try {
      for (let stall = 0; stall < 2; stall++) {
        await until(shown.length + 15);
        client.kill('SIGSTOP');
        // What it wrote before it was stopped is read.
        await sleep(stallMs);
        const before = shown.length;
        const last = shown.at(-1);
        client.kill('SIGCONT');
        await until(before + 5);
        const first = shown[before];
        assert.ok(last && first);
        assert.ok(first.now - last.now > stallMs / 2, 'it was stopped');
        assert.ok(
          first.captured > last.now + stallMs / 2,
          `the first frame shown was captured ${first.now - first.captured} ms ago`,
        );
      }
    } finally {
      client.kill('SIGKILL');
    }
  });
});
