import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Access } from '../../../src/session/access/access.js';
import { Rig } from '../rig.js';

/** Timers that keep this process from ending. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

describe('a connection that has ended', () => {
  it('leaves no timer behind', async () => {
    const before = timers();
    const early = new Rig();
    assert.equal(timers(), before + 1, 'for hello');
    early.connection.disconnected(1006);
    assert.equal(timers(), before);
    const access: Access = {
      required: true,
      verify: () => Promise.resolve({ subject: 'ann', expires: Date.now() + 3_600_000, limits: {} }),
    };
    const rig = await Rig.active({ idleTimeoutMs: 60_000 }, { access });
    assert.ok(timers() >= before + 2, 'one for its token, one to detect idleness');
    rig.connection.disconnected(1000);
    assert.equal(timers(), before);
  });

  it('starts none for a token that is verified later, and sends nothing about it', async () => {
    let verified: () => void = () => {};
    const access: Access = {
      required: true,
      async verify(token) {
        if (token === 'new') await new Promise<void>((resolve) => (verified = resolve));
        return { subject: 'ann', expires: token === 'new' ? Date.now() + 3_600_000 : null, limits: {} };
      },
    };
    const before = timers();
    const rig = await Rig.active({}, { access });
    rig.send({ type: 'authenticate', token: 'new' });
    rig.connection.disconnected(1000);
    verified();
    await turn();
    assert.deepEqual([timers(), rig.all('authenticated')], [before, []]);
  });

  it('sends nothing more, and stays closed', async () => {
    const rig = await Rig.active();
    rig.connection.disconnected(1006);
    const sentBefore = rig.sent.length;
    rig.connection.close('internal');
    rig.send({ type: 'ping', sent: 1 });
    await rig.connection.drain(5);
    assert.deepEqual([rig.sent.length, rig.wire.closed, rig.connection.state], [sentBefore, null, 'closed']);
  });

  it('no longer opens a session', async () => {
    for (const end of ['close', 'disconnected'] as const) {
      const rig = new Rig();
      if (end === 'close') rig.connection.close('internal');
      else rig.connection.disconnected(1006);
      rig.send({ type: 'hello' });
      await rig.settled();
      assert.deepEqual([rig.engine.accounts, rig.all('ready')], [[], []]);
      await rig.connection.drain(5);
      assert.deepEqual(rig.all('drain'), []);
    }
  });

  it('parks its session once: the later close of the socket changes nothing', async () => {
    const rig = await Rig.active();
    rig.connection.close('internal');
    assert.deepEqual([rig.wire.closed?.code, rig.connection.state], [1011, 'closing']);
    rig.connection.disconnected(1000);
    assert.deepEqual([rig.context.sessions.parked, rig.stream.closed], [1, false]);
  });

  it('has its errors counted', async () => {
    const rig = await Rig.active();
    rig.send({ type: 'update', request: 1, parameters: { steps: 99 } });
    rig.connection.close('internal');
    rig.connection.close('internal');
    const { body } = await rig.context.metrics.render();
    for (const code of ['invalid_parameter', 'internal']) {
      assert.match(body, new RegExp(`^millrace_errors_total\\{code="${code}"\\} 1$`, 'm'));
    }
  });
});

describe('an update whose connection ends', () => {
  it('is not applied if it was still waiting', async () => {
    const rig = await Rig.active();
    const session = rig.context.sessions.find(rig.connection.id);
    rig.send({ type: 'update', request: 1, parameters: { steps: 2 } });
    rig.connection.disconnected(1006);
    await rig.settled();
    assert.deepEqual([session?.parameters.steps, rig.stream.parameters.steps], [1, 1]);
    assert.deepEqual(rig.all('updated'), []);
  });

  it('is in force for the next connection if the engine was applying it, but is not acknowledged', async () => {
    const rig = await Rig.active();
    await rig.until(() => rig.all('checkpoint').length === 1);
    const session = rig.context.sessions.find(rig.connection.id);
    let change: () => void = () => {};
    const changed = new Promise<void>((resolve) => (change = resolve));
    rig.stream.configure = async () => {
      await changed;
      return { from: 0 };
    };
    rig.send({ type: 'update', request: 1, parameters: { steps: 2 } });
    await turn();
    rig.connection.disconnected(1006);
    change();
    await rig.settled();
    assert.equal(session?.parameters.steps, 2);
    assert.deepEqual([rig.all('updated').length, rig.all('checkpoint').length], [0, 1]);
    const { body } = await rig.context.metrics.render();
    assert.doesNotMatch(body, /^millrace_parameter_updates_total [1-9]/m);
  });

  it('is counted if it was applied', async () => {
    const rig = await Rig.active();
    rig.send({ type: 'update', request: 1, parameters: { steps: 2 } });
    await rig.until(() => rig.all('updated').length === 1);
    const { body } = await rig.context.metrics.render();
    assert.match(body, /^millrace_parameter_updates_total 1$/m);
    rig.connection.disconnected(1000);
  });
});

describe('a session of a draining server', () => {
  it('gets no token if the engine cannot report its state', async () => {
    const rig = await Rig.active();
    rig.engine.refusal = new Error('the engine is being restarted');
    await rig.connection.drain(2);
    assert.deepEqual(rig.all('drain'), [{ type: 'drain', deadline_seconds: 2 }]);
    rig.connection.disconnected(1000);
  });
});
