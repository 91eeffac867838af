import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import type { Access } from '../../../src/session/access/access.js';
import { Admission } from '../../../src/session/admission/admission.js';
import { Sessions } from '../../../src/session/live/sessions.js';
import { ParameterError } from '../../../src/engine/engine.js';
import { ManualEngine } from '../manual-engine.js';
import { Rig, sessionContext } from '../rig.js';

/** Each token is the name of its user, who may have one session. */
const access: Access = {
  required: true,
  verify: (subject = '') => Promise.resolve({ subject, expires: null, limits: { sessions: 1 } }),
};

describe('the sessions that a token allows', () => {
  it('are counted while they wait for a slot, so that no user can fill the queue', async () => {
    const admission = new Admission({ slots: () => 1, queueLength: 2, queueTimeoutMs: 60_000 });
    const context = sessionContext(new ManualEngine(), {}, { access, admission });
    const open = (token: string): Rig => {
      const rig = new Rig({}, context);
      rig.send({ type: 'hello', token });
      return rig;
    };
    const served = open('ann');
    await served.until(() => served.connection.state === 'active');
    const waiting = open('bob');
    await waiting.until(() => waiting.all('queued').length === 1);
    const further = open('bob');
    await further.until(() => further.wire.closed !== null);
    assert.equal(further.all('error')[0]?.code, 'too_many_sessions');
    assert.equal(admission.waiting, 1);

    waiting.connection.disconnected(1006);
    await waiting.until(() => admission.waiting === 0);
    const again = open('bob');
    await again.until(() => again.all('queued').length === 1);
    served.connection.disconnected(1000);
    await again.until(() => again.connection.state === 'active');
    again.connection.disconnected(1000);
  });
});

describe('a client that has to wait for a slot', () => {
  it('is logged once, with its position, the slots and what limits them', async () => {
    const lines: unknown[] = [];
    const log = pino(
      { base: null, timestamp: false },
      { write: (line) => void lines.push(JSON.parse(line)) },
    );
    const admission = new Admission({ slots: () => 1, queueLength: 2, queueTimeoutMs: 60_000 });
    const leave = new AbortController();
    await admission.enter(new AbortController().signal, () => {});
    const before = admission.enter(leave.signal, () => {});
    const capacity = { share: () => [], basis: '--slo-fps 10', checkCall: () => {} };
    const rig = new Rig({}, { admission, capacity, log });
    rig.send({ type: 'hello', client: 'me/1' });
    await rig.until(() => rig.all('queued').length === 1);
    leave.abort();
    await assert.rejects(before);
    assert.deepEqual(
      rig.all('queued').map(({ position }) => position),
      [2, 1],
    );
    assert.deepEqual(lines, [
      {
        level: 30,
        session: rig.connection.id,
        client: 'me/1',
        position: 2,
        slots: 1,
        msg: 'waits for a slot at position 2; slots: 1, limited by --slo-fps 10',
      },
    ]);
    rig.connection.disconnected(1000);
  });
});

describe('a hello that is refused after a wait in the queue', () => {
  it('must be followed by another within the same time limit', async () => {
    const admission = new Admission({ slots: () => 1, queueLength: 2, queueTimeoutMs: 60_000 });
    const served = await Rig.active({}, { admission });
    const waiting = new Rig({ helloTimeoutMs: 20 }, { admission });
    waiting.engine.refusal = new ParameterError('prompt', 'no');
    waiting.send({ type: 'hello' });
    await waiting.until(() => waiting.all('queued').length === 1);
    served.connection.disconnected(1000);
    await waiting.until(() => waiting.wire.closed !== null);
    assert.deepEqual(
      waiting.all('error').map(({ code }) => code),
      ['invalid_parameter', 'hello_timeout'],
    );
  });
});

describe('a resume token of another server', () => {
  it('restores the session, once', async () => {
    const first = await Rig.active();
    first.send({ type: 'update', request: 1, parameters: { prompt: 'a fox' } });
    await first.until(() => first.all('updated').length === 1);
    await first.until(() => first.all('checkpoint').length === 2);
    const { tokens } = first.context;
    const token = first.all('checkpoint').at(-1)?.token;
    assert.ok(token);
    const engine = new ManualEngine();
    const context = sessionContext(engine, {}, { tokens });
    const open = (resume: string, model = context.model): Rig => {
      const rig = new Rig({}, { ...context, model });
      rig.send({ type: 'hello', resume });
      return rig;
    };
    const stranger = open(token, 'another');
    await stranger.until(() => stranger.wire.closed !== null);
    assert.equal(stranger.all('error')[0]?.code, 'invalid_resume_token', 'it is of another model');
    const second = open(token);
    await second.until(() => second.connection.state === 'active');
    const [ready] = second.all('ready');
    assert.deepEqual(
      [ready?.resumed, ready?.session, ready?.parameters.prompt],
      [true, first.connection.id, 'a fox'],
    );
    second.frame(0);
    await second.until(() => engine.streams[0]?.waiting?.frame === 0);
    engine.streams[0]?.admit();
    engine.streams[0]?.finish();
    await second.until(() => second.all('result').length === 1);
    second.send({ type: 'ack', sequence: 1 });
    const again = open(token);
    await again.until(() => again.wire.closed !== null);
    assert.equal(again.all('error')[0]?.code, 'invalid_resume_token');
    assert.equal(second.connection.state, 'active');
    first.connection.disconnected(1000);
    second.connection.disconnected(1000);
  });

  it('restores the session again if the first connection was lost before ready', async (t) => {
    const first = await Rig.active();
    await first.until(() => first.all('checkpoint').length === 1);
    const token = first.all('checkpoint')[0]?.token ?? '';
    const engine = new ManualEngine();
    const context = sessionContext(
      engine,
      {},
      { tokens: first.context.tokens, sessions: new Sessions(0, 60_000) },
    );
    const open = (): Rig => {
      const rig = new Rig({}, context);
      rig.send({ type: 'hello', resume: token });
      return rig;
    };
    const openStream = engine.openStream.bind(engine);
    let finish: () => void = () => {};
    const opening = t.mock.method(engine, 'openStream', async (...args: Parameters<typeof openStream>) => {
      await new Promise<void>((resolve) => (finish = resolve));
      return openStream(...args);
    });
    const lost = open();
    await lost.until(() => opening.mock.callCount() === 1);
    opening.mock.restore();
    const early = open();
    await early.until(() => early.wire.closed !== null);
    assert.equal(early.all('error')[0]?.code, 'not_ready', 'it may try again');
    lost.connection.disconnected(1006);
    finish();
    await lost.until(() => context.sessions.count('anonymous') === 0);
    assert.deepEqual(lost.all('ready'), []);
    const second = open();
    await second.until(() => second.connection.state === 'active');
    assert.equal(second.all('ready')[0]?.resumed, true);
    // Nor may it have received ready.
    second.connection.disconnected(1006);
    await second.until(() => context.sessions.count('anonymous') === 0);
    const third = open();
    await third.until(() => third.connection.state === 'active');
    assert.equal(third.all('ready')[0]?.resumed, true);
    first.connection.disconnected(1000);
    third.connection.disconnected(1000);
  });

  it('is refused for now if its session was opened while its client waited for a slot', async () => {
    const other = await Rig.active();
    await other.until(() => other.all('checkpoint').length === 1);
    const resume = other.all('checkpoint')[0]?.token ?? '';
    let slots = 1;
    const admission = new Admission({ slots: () => slots, queueLength: 2, queueTimeoutMs: 60_000 });
    const served = await Rig.active({}, { admission, tokens: other.context.tokens });
    const open = (): Rig => {
      const rig = new Rig({}, served.context);
      rig.send({ type: 'hello', resume });
      return rig;
    };
    const [one, two] = [open(), open()];
    await two.until(() => two.all('queued').length === 1);
    slots = 3;
    served.connection.disconnected(1000);
    await two.until(() => two.wire.closed !== null);
    assert.deepEqual([two.all('error')[0]?.code, two.wire.closed?.code], ['not_ready', 1013]);
    await one.until(() => one.connection.state === 'active');
    assert.equal(admission.served, 1, 'the slot of the other is given back');
    one.connection.disconnected(1000);
    other.connection.disconnected(1000);
  });

  it('is invalid if it was used while its client waited for a slot', async () => {
    const other = await Rig.active();
    await other.until(() => other.all('checkpoint').length === 1);
    const token = other.all('checkpoint')[0]?.token ?? '';
    const admission = new Admission({ slots: () => 1, queueLength: 2, queueTimeoutMs: 60_000 });
    const served = await Rig.active({}, { admission, tokens: other.context.tokens });
    const open = (): Rig => {
      const rig = new Rig({}, served.context);
      rig.send({ type: 'hello', resume: token });
      return rig;
    };
    const [one, two] = [open(), open()];
    await two.until(() => two.all('queued').length === 1);
    served.connection.disconnected(1000);
    await one.until(() => one.connection.state === 'active');
    one.connection.disconnected(1000);
    await two.until(() => two.wire.closed !== null);
    assert.equal(two.all('error')[0]?.code, 'invalid_resume_token');
    assert.equal(admission.served, 0, 'its slot is given back');
    other.connection.disconnected(1000);
  });
});
