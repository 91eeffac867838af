import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errors, type StreamParameters } from '@millrace/protocol';
import { ParameterError } from '../../../src/engine/engine.js';
import type { Access } from '../../../src/session/access/access.js';
import type { ConnectionContext } from '../../../src/session/connection/context.js';
import { createParameterRules } from '../../../src/session/live/parameter-rules.js';
import { ManualEngine } from '../manual-engine.js';
import { Rig, sessionContext } from '../rig.js';

/** A session with a resume token. */
async function session(changes: Partial<ConnectionContext> = {}): Promise<{ rig: Rig; token: string }> {
  const rig = await Rig.active({}, changes);
  await rig.until(() => rig.all('checkpoint').length === 1);
  return { rig, token: rig.all('checkpoint')[0]?.token ?? '' };
}

/** Another client that resumes a session of this server. */
function resume(context: ConnectionContext, token: string, access?: string): Rig {
  const rig = new Rig({}, context);
  rig.send({ type: 'hello', resume: token, ...(access !== undefined && { token: access }) });
  return rig;
}

async function refused(rig: Rig): Promise<readonly unknown[]> {
  await rig.until(() => rig.all('error').length > 0);
  const [error] = rig.all('error');
  return [error?.code, error?.field ?? rig.wire.closed?.code];
}

/** Each token is the name of its user; `small` allows sides of at most 64 pixels. */
const access: Access = {
  required: true,
  verify: (subject = '') =>
    Promise.resolve({
      subject: subject === 'small' ? '' : subject,
      expires: null,
      limits: subject === 'small' ? { size: 64 } : {},
    }),
};

describe('a connection that takes a session over', () => {
  it('continues its stream, and the previous connection is closed with the reason', async () => {
    const { rig: first, token } = await session();
    const second = resume(first.context, token);
    await second.until(() => second.connection.state === 'active');
    assert.deepEqual(first.wire.closed, { code: 4409, reason: 'taken_over' });
    const [ready] = second.all('ready');
    assert.deepEqual([ready?.session, ready?.resumed], [first.all('ready')[0]?.session, true]);
    assert.deepEqual([first.engine.streams.length, first.stream.closed], [1, false]);
    first.connection.disconnected(1006);
    assert.equal(first.context.sessions.parked, 0, 'it is not parked');
    second.frame(0);
    await second.until(() => first.stream.waiting?.frame === 0);
    first.stream.admit();
    first.stream.finish();
    await second.until(() => second.all('result').length === 1);
    assert.deepEqual(first.all('result'), []);
    const { body } = await first.context.metrics.render();
    for (const how of ['opened', 'resumed']) {
      assert.match(body, new RegExp(`^millrace_sessions_total\\{result="${how}"\\} 1$`, 'm'));
    }
    second.connection.disconnected(1000);
    assert.equal(first.stream.closed, true);
  });

  it('uses up all earlier tokens once its client is known to have another', async () => {
    const { rig: first, token } = await session();
    first.send({ type: 'update', request: 1, parameters: {} });
    await first.until(() => first.all('checkpoint').length === 2);
    const second = resume(first.context, token);
    await second.until(() => second.all('checkpoint').length === 1);
    second.frame(0);
    await second.until(() => first.stream.waiting?.frame === 0);
    first.stream.admit();
    first.stream.finish();
    await second.until(() => second.all('result').length === 1);
    second.send({ type: 'ack', sequence: 1 });
    for (const { token: old } of first.all('checkpoint')) {
      const third = resume(first.context, old);
      assert.deepEqual(await refused(third), ['invalid_resume_token', 4403]);
      assert.equal(third.all('error')[0]?.message, errors.invalid_resume_token.meaning);
    }
    assert.equal(second.connection.state, 'active');
    second.connection.disconnected(1000);
  });

  it('leaves the session parked if it is lost itself by then', async (t) => {
    const { rig: first, token } = await session();
    const { sessions } = first.context;
    const take = sessions.take.bind(sessions);
    const second = resume(first.context, token);
    t.mock.method(sessions, 'take', (session: Parameters<typeof take>[0]) => {
      take(session);
      second.connection.disconnected(1006);
    });
    await second.settled();
    assert.deepEqual([second.connection.state, second.all('ready'), sessions.parked], ['closed', [], 1]);
    t.mock.restoreAll();
    // Its client has no other token.
    const third = resume(first.context, token);
    await third.until(() => third.connection.state === 'active');
    assert.deepEqual([third.all('ready')[0]?.resumed, sessions.parked], [true, 0]);
    third.connection.disconnected(1000);
  });

  it('can be lost with ready, and its client comes back with the same token, but with none that is older', async () => {
    const { rig: first, token: older } = await session();
    first.send({ type: 'update', request: 1, parameters: {} });
    await first.until(() => first.all('checkpoint').length === 2);
    const token = first.all('checkpoint')[1]?.token ?? '';
    for (let time = 0; time < 2; time++) {
      const next = resume(first.context, token);
      await next.until(() => next.all('ready').length === 1);
      assert.equal(next.all('ready')[0]?.resumed, true);
      next.connection.disconnected(1006);
    }
    assert.deepEqual(await refused(resume(first.context, older)), ['invalid_resume_token', 4403]);
    const last = resume(first.context, token);
    await last.until(() => last.connection.state === 'active');
    assert.deepEqual([first.engine.streams.length, first.stream.closed], [1, false]);
    last.connection.disconnected(1000);
  });

  it('waits if the session is on its way to another one, and may try again', async (t) => {
    const { rig: first, token } = await session();
    const { sessions } = first.context;
    const opening = t.mock.method(sessions, 'isOpening', () => true);
    const second = resume(first.context, token);
    assert.deepEqual(await refused(second), ['not_ready', 1013]);
    assert.equal(first.connection.state, 'active');
    opening.mock.restore();
    const third = resume(first.context, token);
    await third.until(() => third.connection.state === 'active');
    third.connection.disconnected(1000);
  });

  it('leaves the session alone if a third connection was faster', async (t) => {
    const { rig: first, token } = await session();
    const { sessions } = first.context;
    const resumed = sessions.find(first.connection.id);
    const take = sessions.take.bind(sessions);
    const other = (): void => assert.fail('the third one keeps it');
    t.mock.method(sessions, 'take', (taken: Parameters<typeof take>[0]) => {
      take(taken);
      taken.attach(other);
    });
    const second = resume(first.context, token);
    await second.until(() => second.wire.closed !== null);
    assert.deepEqual(second.wire.closed, { code: 4409, reason: 'taken_over' });
    assert.deepEqual([sessions.parked, resumed?.attached, first.stream.closed], [0, true, false]);
  });
});

describe('a resume token', () => {
  it('is valid only for the user of the session', async () => {
    const { rig, token } = await session({ access });
    assert.deepEqual(await refused(resume(rig.context, token, 'bob')), ['invalid_resume_token', 4403]);
    assert.deepEqual(await refused(resume(rig.context, 'none')), ['invalid_resume_token', 4403]);
    assert.equal(rig.connection.state, 'active');
    rig.connection.disconnected(1000);
  });

  it('resumes only with parameters that the access token allows: those in force, or those it contains', async () => {
    const { rig, token } = await session({ access });
    rig.send({ type: 'update', request: 1, parameters: { width: 128 } });
    await rig.until(() => rig.all('checkpoint').length === 2);
    const elsewhere = sessionContext(new ManualEngine(), {}, { access, tokens: rig.context.tokens });
    const large = rig.all('checkpoint')[1]?.token ?? '';
    assert.deepEqual(await refused(resume(elsewhere, large, 'small')), ['limit_exceeded', 'width']);
    const small = resume(elsewhere, token, 'small');
    await small.until(() => small.connection.state === 'active');
    assert.equal(small.all('ready')[0]?.parameters.width, 64);

    assert.deepEqual(await refused(resume(rig.context, token, 'small')), ['limit_exceeded', 'width']);
    assert.equal(rig.connection.state, 'active');
    const second = resume(rig.context, token);
    await second.until(() => second.connection.state === 'active');
    assert.equal(second.all('ready')[0]?.parameters.width, 128);
    second.connection.disconnected(1000);
    small.connection.disconnected(1000);
  });
});

describe('a resume token that is older than a parameter', () => {
  it('continues with the default of that parameter', async () => {
    const { rig } = await session();
    const { tokens, rules } = rig.context;
    const state = tokens.open(rig.all('checkpoint')[0]?.token ?? '');
    assert.ok(state);
    const { latent_feedback: _, ...older } = { ...state.parameters, prompt: 'a fox' };
    const token = tokens.seal({ ...state, parameters: older as StreamParameters });
    const elsewhere = sessionContext(new ManualEngine(), {}, { tokens });
    const resumed = resume(elsewhere, token);
    await resumed.until(() => resumed.connection.state === 'active');
    const parameters = { ...rules.defaults, prompt: 'a fox' };
    assert.deepEqual(resumed.all('ready')[0]?.parameters, { ...state.parameters, ...parameters });
    assert.equal(resumed.all('ready')[0]?.parameters.latent_feedback, rules.defaults.latent_feedback);
    resumed.connection.disconnected(1000);
    rig.connection.disconnected(1000);
  });
});

describe('a resume token with parameters of another server', () => {
  /** Resumes a session elsewhere whose token has these parameters besides. */
  async function elsewhere(
    more: Readonly<Record<string, unknown>>,
    engine = new ManualEngine(),
  ): Promise<{ readonly resumed: Rig; readonly engine: ManualEngine }> {
    const { rig } = await session();
    const { tokens } = rig.context;
    const state = tokens.open(rig.all('checkpoint')[0]?.token ?? '');
    assert.ok(state);
    const token = tokens.seal({ ...state, parameters: { ...state.parameters, ...more } });
    rig.connection.disconnected(1000);
    const [depth] = [{ name: 'depth', preprocessors: [], preprocessor: null }];
    const rules = createParameterRules({ defaults: { width: 64, height: 64 }, controls: [depth] });
    return { resumed: resume(sessionContext(engine, {}, { tokens, rules }), token), engine };
  }

  it('is refused before it reaches the engine if the model lacks what they name, with the reason', async () => {
    for (const [controls, reason] of [
      [{ pose: { scale: 1 } }, /controls has no "pose": with this model it has depth$/],
      [
        { depth: { scale: 1, preprocessor: 'midas' } },
        /controls\.depth\.preprocessor must be .* not "midas"$/,
      ],
    ] as const) {
      const { resumed, engine } = await elsewhere({ controls });
      assert.deepEqual(await refused(resumed), ['invalid_resume_token', 4403]);
      assert.match(resumed.all('error')[0]?.message ?? '', /^the session cannot continue on this server: /);
      assert.match(resumed.all('error')[0]?.message ?? '', reason);
      assert.equal(engine.streams.length, 0);
    }
  });

  it('is refused if the engine refuses them: the client can start anew with others', async () => {
    const engine = new ManualEngine();
    engine.refusal = new ParameterError('attention_bank_frames', 'too little memory for a bank');
    const { resumed } = await elsewhere({}, engine);
    assert.deepEqual(await refused(resumed), ['invalid_resume_token', 4403]);
    assert.match(resumed.all('error')[0]?.message ?? '', /too little memory for a bank$/);
  });

  it('continues without parameters that this version does not know', async () => {
    const { resumed } = await elsewhere({ hue: 3, controls: { depth: { scale: 1 } } });
    await resumed.until(() => resumed.connection.state === 'active');
    const [ready] = resumed.all('ready');
    assert.deepEqual(ready?.parameters.controls, { depth: { scale: 1 } });
    assert.equal('hue' in (ready?.parameters ?? {}), false);
    resumed.connection.disconnected(1000);
  });
});

describe('a client whose stream cannot be opened', () => {
  it('gives its slot back', async () => {
    const rig = new Rig();
    rig.engine.refusal = new Error('out of memory');
    rig.send({ type: 'hello' });
    await rig.until(() => rig.wire.closed !== null);
    const { admission, sessions } = rig.context;
    assert.deepEqual([admission.served, sessions.count('anonymous'), sessions.parked], [0, 0, 0]);
  });
});

describe('the results that a client acknowledges', () => {
  /** Returns for each of the first three tokens of a session whether it is spent. */
  const spent = ({ context, connection: { id } }: Rig): boolean[] =>
    [1, 2, 3].map((counter) => context.sessions.isSpent(id, counter));

  it('show which tokens it has received', async () => {
    const { rig } = await session();
    const update = async (request: number): Promise<void> => {
      rig.send({ type: 'update', request, parameters: {} });
      await rig.until(() => rig.all('checkpoint').length === request + 1);
    };
    await update(1);
    rig.send({ type: 'ack', sequence: 0 });
    assert.deepEqual(spent(rig), [false, false, false]);
    await rig.generate(0);
    await rig.until(() => rig.all('result').length === 1);
    await update(2);
    rig.send({ type: 'ack', sequence: 1 });
    assert.deepEqual(spent(rig), [true, false, false], 'the third came after the result');
    await rig.generate(1);
    await rig.until(() => rig.all('result').length === 2);
    rig.send({ type: 'ack', sequence: 2 });
    assert.deepEqual(spent(rig), [true, true, false]);
    rig.connection.disconnected(1000);
  });
});
