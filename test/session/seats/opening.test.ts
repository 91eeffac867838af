import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import type { Access } from '../../../src/session/access/access.js';
import { Admission } from '../../../src/session/admission/admission.js';
import { ParameterError } from '../../../src/engine/engine.js';
import { Rig } from '../rig.js';

/** A token is the name of its user, who may have one session. */
const access: Access = {
  required: true,
  verify: (subject = '') => Promise.resolve({ subject, expires: null, limits: { sessions: 1 } }),
};

describe('the sessions that a token allows', () => {
  it('are counted while they wait for a place, so that nobody has the queue alone', async () => {
    const admission = new Admission({ capacity: () => 1, queueLength: 2, queueTimeout: 60_000 });
    const { context } = new Rig({}, { access, admission });
    const open = (token: string): Rig => {
      const rig = new Rig({}, context);
      rig.send({ type: 'hello', token });
      return rig;
    };
    const served = open('ann');
    await served.until(() => served.session.state === 'active');
    const waiting = open('bob');
    await waiting.until(() => waiting.all('queued').length === 1);
    const further = open('bob');
    await further.until(() => further.connection.closed !== null);
    assert.equal(further.all('error')[0]?.code, 'too_many_sessions');
    assert.equal(admission.waiting, 1);

    waiting.session.disconnected(1006);
    await waiting.until(() => admission.waiting === 0);
    const again = open('bob');
    await again.until(() => again.all('queued').length === 1);
    served.session.disconnected(1000);
    await again.until(() => again.session.state === 'active');
    again.session.disconnected(1000);
  });
});

describe('a client that has to wait for a slot', () => {
  it('is in the log once, with its place, the slots and what makes them', async () => {
    const lines: unknown[] = [];
    const log = pino(
      { base: null, timestamp: false },
      { write: (line) => void lines.push(JSON.parse(line)) },
    );
    const admission = new Admission({ capacity: () => 1, queueLength: 2, queueTimeout: 60_000 });
    const leave = new AbortController();
    await admission.enter(new AbortController().signal, () => {});
    const before = admission.enter(leave.signal, () => {});
    const capacity = { share: () => [], basis: '--slo-fps 10' };
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
        session: rig.session.id,
        client: 'me/1',
        position: 2,
        slots: 1,
        msg: 'waits for a slot at place 2; slots: 1, by --slo-fps 10',
      },
    ]);
    rig.session.disconnected(1000);
  });
});

describe('a hello that is refused after a wait in the queue', () => {
  it('must be followed by another in time, as at first', async () => {
    const admission = new Admission({ capacity: () => 1, queueLength: 2, queueTimeout: 60_000 });
    const served = await Rig.active({}, { admission });
    const waiting = new Rig({ helloTimeout: 20 }, { admission });
    waiting.engine.refusal = new ParameterError('prompt', 'no');
    waiting.send({ type: 'hello' });
    await waiting.until(() => waiting.all('queued').length === 1);
    served.session.disconnected(1000);
    await waiting.until(() => waiting.connection.closed !== null);
    assert.deepEqual(
      waiting.all('error').map(({ code }) => code),
      ['invalid_parameter', 'hello_timeout'],
    );
  });
});
