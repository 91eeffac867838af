import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { createApp } from '../../src/app.js';
import { createEngines } from '../../src/engine/host/engine-group.js';
import { readSettings } from '../../src/settings/settings.js';
import { AgentServer, agentLine, type AgentReport } from '../../src/transport/agent-server.js';
import { tinyModel } from '../support/engine.js';
import { freePort } from '../support/free-port.js';
import { motionJpegFrames } from '../support/frames.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const free: AgentReport = { engine: 'ready', draining: false, slots: 4, served: 0 };

/** Returns all that the agent sends over one connection. */
async function ask(port: number, question = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  if (question !== '') socket.write(question);
  await once(socket, 'close');
  return text;
}

describe('agentLine', () => {
  it('gives the percentage of free slots as weight, and the slots as the most connections', () => {
    assert.equal(agentLine(free), 'up ready 100% maxconn:4');
    assert.equal(agentLine({ ...free, served: 3 }), 'up ready 25% maxconn:4');
    // HAProxy takes 0% for a drain.
    assert.equal(agentLine({ ...free, slots: 1000, served: 999 }), 'up ready 1% maxconn:1000');
  });

  it('keeps newcomers away from a full server, also if it has fewer slots than sessions', () => {
    assert.equal(agentLine({ ...free, served: 4 }), 'up drain maxconn:4');
    assert.equal(agentLine({ ...free, served: 6 }), 'up drain maxconn:4');
  });

  it('keeps newcomers away from a server that stops or restarts its engine, and keeps its streams', () => {
    assert.equal(agentLine({ ...free, draining: true }), 'up drain');
    assert.equal(agentLine({ ...free, engine: 'restarting' }), 'up drain');
  });

  it('takes a server out of service that cannot serve', () => {
    assert.equal(agentLine({ ...free, engine: 'starting' }), 'up maint');
    assert.equal(agentLine({ ...free, engine: 'failed' }), 'down');
    assert.equal(agentLine({ ...free, engine: 'stopped', draining: true }), 'down');
  });
});

describe('AgentServer', () => {
  it('answers at once, whether it is asked or only connected to', async () => {
    let report = free;
    await using agent = new AgentServer(() => report);
    const port = await freePort();
    await agent.listen('127.0.0.1', port);
    assert.equal(await ask(port), 'up ready 100% maxconn:4\n');
    report = { ...free, served: 2 };
    assert.equal(await ask(port, 'a question that nobody reads\n'), 'up ready 50% maxconn:4\n');
  });

  it('closes connections that the other side leaves open, and those of a stopped server', async () => {
    const agent = new AgentServer(() => free);
    const port = await freePort();
    await agent.listen('127.0.0.1', port);
    const idle = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    idle.on('error', () => {}).resume();
    await once(idle, 'end');
    await agent[Symbol.asyncDispose]();
    idle.destroy();
    await assert.rejects(ask(port), { code: 'ECONNREFUSED' });
  });

  it('answers although others keep their connections open and go on sending', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await using agent = new AgentServer(() => free);
    const port = await freePort();
    await agent.listen('127.0.0.1', port);
    const others = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
        socket.on('error', () => {}).resume();
        await once(socket, 'connect');
        socket.write('x');
        return socket;
      }),
    );
    assert.equal(await ask(port), 'up ready 100% maxconn:4\n');
    const last = others.at(-1);
    assert.ok(last && !last.destroyed);
    const closed = new Promise((resolve) => last.once('close', resolve));
    t.mock.timers.tick(1999);
    last.write('x');
    t.mock.timers.tick(1);
    // What it writes after that finds nobody.
    const writing = setInterval(() => last.write('x'), 5);
    await closed;
    clearInterval(writing);
    for (const socket of others) socket.destroy();
  });

  it('names the setting to change if it cannot listen', async () => {
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    assert.ok(typeof address === 'object' && address);
    await using agent = new AgentServer(() => free);
    await assert.rejects(agent.listen('127.0.0.1', address.port), {
      message: `port ${address.port} of the agent is in use; stop the program that uses it, or choose another with --agent-port`,
    });
    await using elsewhere = new AgentServer(() => free);
    await assert.rejects(elsewhere.listen('192.0.2.1', address.port), /192\.0\.2\.1 .*--agent-host$/);
  });
});

describe('the agent of a server', () => {
  it('follows the start, the sessions and the drain without delay, with the numbers of /readyz', async () => {
    const agentPort = await freePort();
    const settings = { agentPort, maxSessions: 2, queueLength: 0, drainSeconds: 1 };
    // An engine of its own, which is not ready yet.
    await using server = await startServer(settings, createEngines);
    assert.equal(await ask(agentPort), 'up maint\n');
    await server.app.ready();
    assert.equal(await ask(agentPort), 'up ready 100% maxconn:2\n');
    await using first = await StreamClient.open(server.streamUrl, { width: 64, height: 64 });
    assert.equal(await ask(agentPort), 'up ready 50% maxconn:2\n');
    const second = await StreamClient.open(server.streamUrl, { width: 64, height: 64 });
    assert.equal(await ask(agentPort), 'up drain maxconn:2\n');
    const { sessions } = (await (await fetch(`${server.url}/readyz`)).json()) as { sessions: object };
    assert.deepEqual(sessions, { slots: 2, served: 2, waiting: 0 });
    await second[Symbol.asyncDispose]();
    assert.equal(await ask(agentPort), 'up ready 50% maxconn:2\n');
    const drained = server.app.drain(60);
    assert.equal(await ask(agentPort), 'up drain\n');
    const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
    assert.equal((await first.generate(0, picture)).type, 'result');
    await first[Symbol.asyncDispose]();
    await drained;
  });

  it('comes with one warning if the server has no resume key', async () => {
    const warningsWith = async (resumeKey: string): Promise<number> => {
      let log = '';
      const logger = pino({ level: 'warn' }, { write: (line: string) => void (log += line) });
      const own = { port: 0, model: tinyModel, cacheDirectory: '', threads: 1, sloFps: 0 };
      const flags = { ...own, agentPort: await freePort(), resumeKey };
      await using app = await createApp(readSettings({ flags }), logger);
      await app.listen();
      return log.match(/no resumeKey: .*--resume-key/g)?.length ?? 0;
    };
    assert.equal(await warningsWith(''), 1);
    assert.equal(await warningsWith('the key of the fleet'), 0);
  });
});
