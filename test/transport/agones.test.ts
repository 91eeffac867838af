import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import type { AgentReport } from '../../src/transport/agent-server.js';
import { AgonesReporter } from '../../src/transport/agones.js';
import { freePort } from '../support/free-port.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';
import { AgonesSidecar } from './agones-sidecar.js';

const idle: AgentReport = { engine: 'ready', draining: false, slots: 4, served: 0 };

let port: number;
let sidecar: AgonesSidecar;
/** Lines of the log. */
let lines: string[];
const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });

describe('AgonesReporter', () => {
  beforeEach(async () => {
    lines = [];
    sidecar = new AgonesSidecar();
    port = await freePort();
    // Where the library looks for it.
    process.env['AGONES_SDK_GRPC_PORT'] = String(port);
  });
  afterEach(() => sidecar.stop());

  it('follows a server: ready, allocated with its first session, ready after its last, shut down after the drain', async () => {
    await sidecar.start(port);
    await using server = await startServer({ agones: true, maxSessions: 2, drainSeconds: 1 });
    await sidecar.until(() => sidecar.pings > 0);
    await sidecar.until(() => sidecar.states.length > 0 && sidecar.capacity === 2);
    assert.equal(sidecar.count, 0);
    const parameters = { width: 64, height: 64 };
    const first = await StreamClient.open(server.streamUrl, parameters);
    await sidecar.until(() => sidecar.count === 1);
    const second = await StreamClient.open(server.streamUrl, parameters);
    await sidecar.until(() => sidecar.count === 2);
    await first[Symbol.asyncDispose]();
    await sidecar.until(() => sidecar.count === 1);
    assert.deepEqual(sidecar.states, ['ready', 'allocated']);
    await second[Symbol.asyncDispose]();
    await sidecar.until(() => sidecar.count === 0);
    await sidecar.until(() => sidecar.states.length > 2);
    await server[Symbol.asyncDispose]();
    assert.deepEqual(sidecar.states, ['ready', 'allocated', 'ready', 'shutdown']);
  });

  it('sends pings while the engine starts, and calls it ready only then', async () => {
    await sidecar.start(port);
    let report: AgentReport = { ...idle, engine: 'starting' };
    await using reporter = new AgonesReporter(() => report, log);
    reporter.start();
    await sidecar.until(() => sidecar.pings > 2);
    assert.deepEqual(sidecar.states, []);
    assert.equal(sidecar.capacity, 1);
    report = idle;
    await sidecar.until(() => sidecar.capacity === 4);
    assert.deepEqual(sidecar.states, ['ready']);
  });

  it('sends two pings in the period of the Fleet, none with a failed engine, and none if the Fleet wants none', async () => {
    sidecar.periodSeconds = 600;
    await sidecar.start(port);
    {
      await using reporter = new AgonesReporter(() => idle, log);
      reporter.start();
      await sidecar.until(() => sidecar.states.length === 1 && sidecar.pings > 0);
      await pause(1000);
      assert.equal(sidecar.pings, 1);
    }
    sidecar.periodSeconds = 1;
    {
      await using reporter = new AgonesReporter(() => ({ ...idle, engine: 'failed' }), log);
      reporter.start();
      await sidecar.until(() => sidecar.capacity === 4);
      await pause(600);
      assert.equal(sidecar.pings, 1);
    }
    sidecar.healthDisabled = true;
    const before = sidecar.states.length;
    await using reporter = new AgonesReporter(() => idle, log);
    reporter.start();
    await sidecar.until(() => sidecar.states.length > before);
    await pause(600);
    assert.equal(sidecar.pings, 1);
  });

  it('keeps a draining server allocated until its last session has left', async () => {
    await sidecar.start(port);
    let report: AgentReport = { ...idle, served: 2 };
    await using reporter = new AgonesReporter(() => report, log);
    reporter.start();
    await sidecar.until(() => sidecar.count === 2);
    report = { ...report, draining: true, served: 1 };
    await sidecar.until(() => sidecar.count === 1);
    assert.deepEqual(sidecar.states, ['allocated']);
    report = { ...report, served: 0 };
    await sidecar.until(() => sidecar.states.length === 2);
    assert.deepEqual(sidecar.states, ['allocated', 'shutdown']);
  });

  it('never sets the count above the capacity, also if there are fewer slots than sessions', async () => {
    await sidecar.start(port);
    let report: AgentReport = { ...idle, slots: 8, served: 8 };
    await using reporter = new AgonesReporter(() => report, log);
    reporter.start();
    await sidecar.until(() => sidecar.count === 8 && sidecar.capacity === 8);
    report = { ...idle, slots: 2, served: 3 };
    await sidecar.until(() => sidecar.count === 3 && sidecar.capacity === 3);
    report = { ...idle, slots: 16, served: 10 };
    await sidecar.until(() => sidecar.count === 10 && sidecar.capacity === 16);
    assert.deepEqual(lines, []);
  });

  it('says once that no sidecar answers, tries again, and then says what it has missed', async () => {
    let report = idle;
    await using reporter = new AgonesReporter(() => report, log);
    reporter.start();
    await sidecar.until(() => lines.length > 0);
    // Further attempts.
    await pause(2500);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? '',
      new RegExp(`"level":40.*localhost:${port}: .*the server goes on and tries again`),
    );
    report = { ...idle, served: 1 };
    await sidecar.start(port);
    await sidecar.until(() => sidecar.count === 1);
    assert.deepEqual(sidecar.states, ['allocated']);
    await sidecar.until(() => lines.length === 2);
    assert.match(lines[1] ?? '', /"level":30.*answers again/);
  });

  it('goes on with pings and changes after the sidecar was started again', async () => {
    await sidecar.start(port);
    let report = idle;
    await using reporter = new AgonesReporter(() => report, log);
    reporter.start();
    await sidecar.until(() => sidecar.capacity === 4);
    sidecar.stop();
    sidecar.pings = 0;
    await sidecar.start(port);
    await sidecar.until(() => sidecar.pings > 1);
    report = { ...idle, served: 1 };
    await sidecar.until(() => sidecar.count === 1);
    // What Agones knows already is not said again: it may have allocated the server itself.
    assert.deepEqual(sidecar.states, ['ready', 'allocated']);
  });

  it('says that the sidecar has frozen, and stops without it', async () => {
    await sidecar.start(port);
    sidecar.frozen = true;
    await using reporter = new AgonesReporter(() => idle, log);
    reporter.start();
    await sidecar.until(() => lines.length > 0);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /no answer within 5 s/);
  });

  it('names the counter that the Fleet lacks, and allocates the server all the same', async () => {
    sidecar.counter = 'players';
    await sidecar.start(port);
    await using reporter = new AgonesReporter(() => ({ ...idle, served: 1 }), log);
    reporter.start();
    await sidecar.until(() => lines.length > 0);
    assert.match(lines[0] ?? '', /counter not found: sessions.*with the counter `sessions`/);
    assert.deepEqual(sidecar.states, ['allocated']);
  });
});
