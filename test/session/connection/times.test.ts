import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Access } from '../../../src/session/access/access.js';
import type { GrantLimits } from '../../../src/session/access/grant.js';
import { Admission } from '../../../src/session/admission/admission.js';
import { stopTime } from '../../support/stopped-time.js';
import { Rig } from '../rig.js';

/** Accepts any token, with these limits. */
function granting(limits: GrantLimits, expires: number | null = null): Access {
  return { required: true, verify: () => Promise.resolve({ subject: 'ann', expires, limits }) };
}

describe('the time for hello', () => {
  it('does not start again after a refused hello', async (t) => {
    const pass = stopTime(t);
    const rig = new Rig({ helloTimeoutMs: 100 });
    pass(60);
    rig.send({ type: 'hello', parameters: { steps: 99 } });
    await rig.until(() => rig.all('error').length === 1);
    pass(39);
    assert.equal(rig.wire.closed, null);
    pass(1);
    assert.deepEqual(rig.wire.closed, { code: 4408, reason: 'hello_timeout' });
  });

  it('does not run in the queue, nor once the session is open', async (t) => {
    const pass = stopTime(t);
    const admission = new Admission({ slots: () => 1, queueLength: 1, queueTimeoutMs: 60_000 });
    const served = await Rig.active({ helloTimeoutMs: 100 }, { admission });
    const waiting = new Rig({ helloTimeoutMs: 100 }, { admission });
    waiting.send({ type: 'hello' });
    await waiting.until(() => waiting.all('queued').length === 1);
    pass(2000);
    assert.deepEqual([served.wire.closed, waiting.wire.closed], [null, null]);
    served.connection.disconnected(1000);
    await waiting.until(() => waiting.connection.state === 'active');
    const { body } = await waiting.context.metrics.render();
    assert.match(body, /^millrace_admission_wait_seconds_sum 2$/m);
    waiting.connection.disconnected(1000);
  });
});

describe('a session is not idle', () => {
  for (const [what, send] of [
    ['a frame', (rig: Rig) => rig.frame(0)],
    ['an update', (rig: Rig) => rig.send({ type: 'update', request: 1, parameters: {} })],
  ] as const) {
    it(`for a while after ${what}`, async (t) => {
      const pass = stopTime(t);
      const rig = await Rig.active({ idleTimeoutMs: 100 });
      pass(60);
      send(rig);
      pass(99);
      assert.equal(rig.wire.closed, null);
      pass(1);
      assert.deepEqual(rig.wire.closed, { code: 4408, reason: 'idle_timeout' });
      assert.equal(rig.context.sessions.parked, 1);
    });
  }

  it('when the engine has just finished a frame', async (t) => {
    const pass = stopTime(t);
    const rig = await Rig.active({ idleTimeoutMs: 100 });
    rig.frame(0);
    await rig.until(() => rig.stream.waiting !== null);
    pass(60);
    rig.stream.admit();
    rig.stream.finish();
    pass(99);
    assert.equal(rig.wire.closed, null);
    pass(1);
    assert.deepEqual(rig.wire.closed, { code: 4408, reason: 'idle_timeout' });
  });
});

describe('the token of a hello', () => {
  it('ends the connection when it expires, and parks the session', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
    const rig = await Rig.active({}, { access: granting({}, 1_001_000) });
    assert.equal(rig.all('ready')[0]?.token_expires, 1);
    t.mock.timers.tick(999);
    assert.equal(rig.wire.closed, null);
    t.mock.timers.tick(1);
    assert.deepEqual(rig.wire.closed, { code: 4401, reason: 'unauthorized' });
    assert.equal(rig.context.sessions.parked, 1);
  });

  it('has its limits sent to the client and applied to frames', async (t) => {
    const pass = stopTime(t);
    const limits = { fps: 2, size: 128, steps: 3 };
    const rig = await Rig.active({}, { access: granting(limits) });
    const [ready] = rig.all('ready');
    assert.deepEqual(ready?.limits, {
      message_bytes: 1_000_000,
      frame_pixels: 1_000_000,
      unacknowledged_results: 2,
      updates_per_second: 1000,
      ...limits,
    });
    assert.equal(ready.token_expires, undefined);
    await rig.generate(0);
    rig.frame(1);
    await rig.settled();
    // A quarter of the interval is allowed for late timers.
    pass(374);
    await rig.settled();
    assert.deepEqual(rig.stream.pushed, [0]);
    pass(1);
    await rig.until(() => rig.stream.waiting?.frame === 1);
    rig.connection.disconnected(1000);
  });
});

describe('the clock of a client', () => {
  for (const [what, sent, offset, received] of [
    ['is that of the server while it is unknown', undefined, undefined, 5000],
    ['is that of its hello if pings have no offset', 100, undefined, 100],
    ['has the offset of its ping', 100, 7, 5007],
  ] as const) {
    it(what, async (t) => {
      t.mock.method(performance, 'now', () => 5000);
      const rig = new Rig();
      rig.send({ type: 'hello', ...(sent !== undefined && { sent }) });
      await rig.until(() => rig.connection.state === 'active');
      rig.send({ type: 'ping', sent: 1, ...(offset !== undefined && { offset }) });
      await rig.generate(0);
      await rig.until(() => rig.all('result').length === 1);
      assert.equal(rig.all('result')[0]?.times.received, received);
      rig.connection.disconnected(1000);
    });
  }
});
