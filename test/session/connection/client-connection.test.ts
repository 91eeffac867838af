import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ParameterError } from '../../../src/engine/engine.js';
import { picture, Rig } from '../rig.js';

describe('hello', () => {
  it('opens a stream with the given parameters, and ready lists all of them', async () => {
    const rig = new Rig();
    rig.send({ type: 'hello', client: 'me/1', parameters: { prompt: 'blueprint', steps: 3 } });
    await rig.until(() => rig.connection.state === 'active');
    const [ready] = rig.all('ready');
    assert.ok(ready);
    assert.equal(ready.session, rig.connection.id);
    assert.equal(ready.credits, 2);
    assert.equal(ready.parameters.prompt, 'blueprint');
    assert.equal(ready.parameters.width, 64);
    assert.deepEqual(rig.stream.parameters, ready.parameters);
  });

  it('may be sent again after its parameters were refused', async () => {
    const rig = new Rig();
    rig.send({ type: 'hello', parameters: { steps: 99 } });
    await rig.until(() => rig.sent.length > 0);
    rig.engine.refusal = new ParameterError('steps', 'not with this model');
    rig.send({ type: 'hello', parameters: { steps: 9 } });
    await rig.until(() => rig.sent.length > 1);
    assert.deepEqual(
      rig.all('error').map(({ code, field }) => [code, field]),
      [
        ['invalid_parameter', 'steps'],
        ['invalid_parameter', 'steps'],
      ],
    );
    rig.send({ type: 'hello', parameters: { steps: 2 } });
    await rig.until(() => rig.connection.state === 'active');
    assert.equal(rig.wire.closed, null);
  });

  it('gives the connection the id of its session; until then it has its own', async () => {
    const rig = new Rig();
    const before = rig.connection.id;
    assert.match(before, /^[0-9a-f-]{36}$/);
    rig.send({ type: 'hello' });
    await rig.until(() => rig.connection.state === 'active');
    assert.equal(rig.connection.id, rig.all('ready')[0]?.session);
    assert.notEqual(rig.connection.id, before);
    rig.connection.disconnected(1000);
  });

  it('must be the first message', () => {
    const rig = new Rig();
    rig.frame(0);
    assert.equal(rig.all('error')[0]?.code, 'hello_required');
    assert.deepEqual(rig.wire.closed, { code: 4400, reason: 'hello_required' });
  });

  it('must come once', async () => {
    const rig = await Rig.active();
    rig.send({ type: 'hello' });
    assert.deepEqual(rig.wire.closed, { code: 4400, reason: 'hello_required' });
    assert.equal(rig.stream.closed, true);
  });

  it('must come in time', async () => {
    const rig = new Rig({ helloTimeoutMs: 1 });
    await rig.until(() => rig.wire.closed !== null);
    assert.deepEqual(rig.wire.closed, { code: 4408, reason: 'hello_timeout' });
  });

  it('is refused while the engine starts', async () => {
    const rig = new Rig();
    rig.engine.state = { name: 'starting', what: 'loading' };
    rig.send({ type: 'hello' });
    await rig.until(() => rig.wire.closed !== null);
    assert.deepEqual(rig.wire.closed, { code: 1013, reason: 'not_ready' });
  });

  it('is refused after the engine has failed', async () => {
    const rig = new Rig();
    rig.engine.refusal = new Error('out of memory');
    rig.send({ type: 'hello' });
    await rig.until(() => rig.wire.closed !== null);
    assert.equal(rig.wire.closed?.reason, 'engine_failed');
    assert.doesNotMatch(rig.all('error')[0]?.message ?? '', /memory/);
  });

  it('closes the stream if the client has gone by then', async () => {
    const rig = new Rig();
    const openStream = rig.engine.openStream.bind(rig.engine);
    rig.engine.openStream = (...asked) => {
      rig.connection.disconnected(1000);
      return openStream(...asked);
    };
    rig.send({ type: 'hello' });
    await rig.until(() => rig.engine.streams.length > 0);
    await rig.until(() => rig.stream.closed);
    assert.deepEqual(rig.sent, []);
    assert.equal(rig.context.admission.served, 0);
  });
});

describe('updates', () => {
  it('are answered in order, each based on the result of the previous one', async () => {
    const rig = await Rig.active();
    rig.send({ type: 'update', request: 1, parameters: { steps: 2 } });
    rig.send({ type: 'update', request: 2, parameters: { strength: 0.5 } });
    await rig.until(() => rig.all('updated').length === 2);
    const [first, second] = rig.all('updated');
    assert.deepEqual([first?.request, first?.parameters.steps, first?.parameters.strength], [1, 2, 0.4]);
    assert.deepEqual([second?.request, second?.parameters.steps, second?.parameters.strength], [2, 2, 0.5]);
    assert.deepEqual(rig.stream.parameters, second?.parameters);
  });

  it('that are refused change nothing', async () => {
    const rig = await Rig.active();
    const before = rig.stream.parameters;
    rig.send({ type: 'update', request: 1, parameters: { steps: 2, strength: Number.NaN } });
    rig.engine.refusal = new ParameterError('t_index_list', 'beyond the schedule');
    rig.send({ type: 'update', request: 2, parameters: { steps: 3, t_index_list: [51] } });
    await rig.until(() => rig.all('error').length === 2);
    assert.deepEqual(
      rig.all('error').map(({ code, request, field }) => [code, request, field]),
      [
        ['invalid_parameter', 1, 'strength'],
        ['invalid_parameter', 2, 't_index_list'],
      ],
    );
    assert.equal(rig.stream.parameters, before);
    rig.send({ type: 'update', request: 3, parameters: { delta: 0.5 } });
    await rig.until(() => rig.all('updated').length === 1);
    assert.deepEqual(rig.all('updated')[0]?.parameters, { ...before, delta: 0.5 });
  });

  it('that come too fast are refused', async () => {
    const rig = await Rig.active({ updatesPerSecond: 3 });
    for (const request of [1, 2, 3, 4]) rig.send({ type: 'update', request, parameters: {} });
    await rig.until(() => rig.all('updated').length === 3);
    assert.deepEqual(
      rig.all('error').map(({ code, request }) => [code, request]),
      [['rate_limited', 4]],
    );
  });
});

describe('bad messages', () => {
  it('of an unknown type are refused, and the stream continues', async () => {
    const rig = await Rig.active();
    rig.connection.receive(Buffer.from('81a474797065a36e6577', 'hex'));
    assert.equal(rig.all('error')[0]?.code, 'unknown_message');
    await rig.generate(0);
    await rig.until(() => rig.all('result').length === 1);
  });

  it('that are not MessagePack end the connection; later messages are ignored', async () => {
    const rig = await Rig.active();
    rig.connection.receive(Uint8Array.of(0x81, 0xa4));
    assert.deepEqual(rig.wire.closed, { code: 4400, reason: 'invalid_message' });
    const { length } = rig.sent;
    rig.frame(0);
    rig.connection.receive(Uint8Array.of(0xc1));
    await rig.settled();
    assert.equal(rig.sent.length, length);
    assert.deepEqual(rig.stream.pushed, []);
  });
});

describe('the engine', () => {
  it('when it restarts, loses its frames, and the stream continues', async () => {
    const rig = await Rig.active({ credits: 3 });
    rig.frame(0);
    await rig.until(() => rig.stream.waiting?.frame === 0);
    rig.stream.admit();
    rig.frame(1);
    await rig.until(() => rig.stream.waiting?.frame === 1);
    rig.stream.restart();
    assert.equal(rig.all('error')[0]?.code, 'engine_restarting');
    assert.deepEqual(rig.drops, ['0 failed', '1 failed']);
    assert.equal(rig.all('credit').at(-1)?.total, 5);
    await rig.generate(2);
    await rig.until(() => rig.all('result').length === 1);
  });

  it('when it restarts during an update, loses that too', async () => {
    const rig = await Rig.active();
    rig.engine.refusal = new Error('the worker died');
    rig.send({ type: 'update', request: 5, parameters: { steps: 2 } });
    await rig.until(() => rig.all('error').length === 1);
    const [{ code, request } = {}] = rig.all('error');
    assert.deepEqual([code, request], ['engine_restarting', 5]);
    assert.equal(rig.wire.closed, null);
  });

  it('when it has stopped permanently, ends the connection', async () => {
    const rig = await Rig.active();
    rig.stream.listener.onClosed(new Error('secret path'));
    assert.deepEqual(rig.wire.closed, { code: 1011, reason: 'engine_failed' });
    assert.doesNotMatch(JSON.stringify(rig.sent), /secret/);
  });
});

describe('the end', () => {
  it('of a connection releases everything, and may be repeated', async () => {
    const rig = await Rig.active({ unacknowledgedResults: 1, credits: 4 });
    for (const id of [0, 1]) {
      rig.frame(id);
      await rig.until(() => rig.stream.waiting?.frame === id);
      rig.stream.admit();
    }
    rig.stream.finish();
    rig.stream.finish();
    await rig.until(() => rig.stream.lent === 1);
    rig.frame(2);
    rig.connection.disconnected(1000);
    rig.connection.disconnected(1000);
    await rig.until(() => rig.stream.lent === 0);
    assert.equal(rig.connection.state, 'closed');
    assert.equal(rig.stream.closed, true);
    assert.deepEqual(rig.drops, []);
    const { body } = await rig.context.metrics.render();
    assert.match(body, /^millrace_session_duration_seconds_count 1$/m);
  });

  it('is reported to the client once', async () => {
    const rig = await Rig.active();
    rig.connection.close('shutting_down');
    rig.connection.close('internal');
    assert.deepEqual(
      rig.all('error').map(({ code }) => code),
      ['shutting_down'],
    );
    assert.deepEqual(rig.wire.closed, { code: 1001, reason: 'shutting_down' });
  });

  it('drops a picture whose decoding it interrupts', async () => {
    const rig = await Rig.active();
    rig.frame(0, picture);
    rig.connection.close('shutting_down');
    await rig.settled();
    assert.deepEqual(rig.stream.pushed, []);
  });
});

describe('a session', () => {
  it('that is idle for too long is closed', async () => {
    // On a busy machine, it is over before one could look.
    const rig = new Rig({ idleTimeoutMs: 30 });
    rig.send({ type: 'hello' });
    await rig.until(() => rig.wire.closed !== null);
    assert.equal(rig.all('ready').length, 1);
    assert.deepEqual(rig.wire.closed, { code: 4408, reason: 'idle_timeout' });
  });

  it('is parked when its connection is lost, and ends when it is closed', async () => {
    const lost = await Rig.active();
    lost.connection.disconnected(1006);
    assert.equal(lost.stream.closed, false);
    assert.equal(lost.context.sessions.parked, 1);
    lost.context.sessions.close();
    assert.equal(lost.stream.closed, true);
    assert.equal(lost.context.admission.served, 0);

    const closed = await Rig.active();
    closed.connection.disconnected(1000);
    assert.equal(closed.stream.closed, true);
    assert.equal(closed.context.admission.served, 0);
  });

  it('sends a checkpoint when it opens and after each update, each with a higher number', async () => {
    const rig = await Rig.active();
    rig.send({ type: 'update', request: 1, parameters: { prompt: 'blueprint' } });
    await rig.until(() => rig.all('checkpoint').length === 2);
    const states = rig.all('checkpoint').map(({ token }) => rig.context.tokens.open(token));
    assert.deepEqual(
      states.map((state) => [state?.session, state?.counter]),
      [
        [rig.connection.id, 1],
        [rig.connection.id, 2],
      ],
    );
    assert.equal(states[1]?.parameters.prompt, 'blueprint');
  });

  it('has its pings and requests limited', async () => {
    const rig = await Rig.active({ updatesPerSecond: 2 });
    for (let i = 0; i < 3; i++) rig.send({ type: 'ping', sent: i });
    assert.equal(rig.all('pong').length, 2);
    assert.deepEqual(
      rig.all('error').map(({ code }) => code),
      ['rate_limited'],
    );
  });
});
