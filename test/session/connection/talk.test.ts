import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeMessage } from '@millrace/protocol';
import { pino, type Logger } from 'pino';
import { pictureCodec } from '../../../src/image/codec.js';
import { anonymous } from '../../../src/session/access/grant.js';
import { ProtocolError } from '../../../src/session/wire/protocol-error.js';
import { Rig } from '../rig.js';

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Returns a log and its lines, from level debug up. */
function logged(): { readonly lines: readonly Line[]; readonly log: Logger } {
  const lines: Line[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Line);
  return { lines, log: pino({ level: 'debug' }, { write }) };
}

const [debug, info, error] = [20, 30, 50];

describe('a server that drains', () => {
  it('sends sessions the deadline, with a token to continue elsewhere', async () => {
    const rig = await Rig.active();
    await rig.connection.drain(12.34567);
    const [drain] = rig.all('drain');
    assert.equal(drain?.deadline_seconds, 12.346);
    assert.equal(rig.context.tokens.open(drain.token ?? '')?.session, rig.connection.id);
    assert.equal(rig.wire.closed, null);
  });

  it('sends another token when all frames are answered, with none of them under way', async () => {
    const rig = await Rig.active();
    await rig.until(() => rig.all('checkpoint').length === 1);
    await rig.generate(0);
    await rig.until(() => rig.all('result').length === 1);
    await rig.settled();
    assert.equal(rig.all('checkpoint').length, 1, 'it does not drain yet');
    for (const id of [1, 2]) {
      rig.frame(id);
      await rig.until(() => rig.stream.waiting?.frame === id);
      rig.stream.admit();
    }
    await rig.connection.drain(5);
    rig.stream.finish();
    await rig.until(() => rig.all('result').length === 2);
    await rig.settled();
    assert.equal(rig.all('checkpoint').length, 1, 'a frame is under way');
    rig.send({ type: 'ack', sequence: 2 });
    rig.stream.finish();
    await rig.until(() => rig.all('checkpoint').length === 2);
    const order = rig.sent
      .map(({ type }) => type)
      .filter((type) => type === 'result' || type === 'checkpoint');
    assert.deepEqual(order.slice(-2), ['result', 'checkpoint']);
    const counter = (token = ''): number => rig.context.tokens.open(token)?.counter ?? 0;
    assert.ok(counter(rig.all('checkpoint')[1]?.token) > counter(rig.all('drain')[0]?.token));

    // A drop is an answer too.
    rig.frame(3);
    await rig.until(() => rig.stream.waiting?.frame === 3);
    rig.stream.skip();
    await rig.until(() => rig.all('checkpoint').length === 3);
    assert.equal(rig.all('dropped').length, 1);
    rig.connection.disconnected(1000);
  });

  it('closes connections without a session, and sends nothing to closed ones', async () => {
    const early = new Rig();
    await early.connection.drain(5);
    assert.deepEqual(early.wire.closed, { code: 1001, reason: 'shutting_down' });
    assert.deepEqual(early.all('drain'), []);
    const leaving = await Rig.active();
    const drained = leaving.connection.drain(5);
    leaving.connection.disconnected(1006);
    await drained;
    assert.deepEqual(leaving.all('drain'), []);
    const closed = await Rig.active();
    closed.connection.close('shutting_down');
    await closed.connection.drain(5);
    assert.deepEqual(closed.all('drain'), []);
  });
});

describe('the log', () => {
  it('has each session with its client, and how it ended', async () => {
    const { lines, log } = logged();
    const rig = new Rig({}, { log });
    rig.send({ type: 'hello', client: 'test/2' });
    await rig.until(() => rig.connection.state === 'active');
    const { id } = rig.connection;
    rig.connection.disconnected(1001);
    const entries = lines.filter(({ msg }) => msg.startsWith('session '));
    assert.deepEqual(
      entries.map(({ level, msg, session, client, resumed, code }) => ({
        level,
        msg,
        session,
        client,
        resumed,
        code,
      })),
      [
        {
          level: info,
          msg: 'session opened',
          session: id,
          client: 'test/2',
          resumed: false,
          code: undefined,
        },
        {
          level: info,
          msg: 'session closed',
          session: id,
          client: undefined,
          resumed: undefined,
          code: 1001,
        },
      ],
    );
  });

  it('says little about connections that never became a session', () => {
    const { lines, log } = logged();
    new Rig({}, { log }).connection.disconnected(1006);
    assert.deepEqual(
      lines.map(({ level, msg, code }) => [level, msg, code]),
      [[debug, 'session closed', 1006]],
    );
  });

  it('has mistakes of clients at level debug, and faults at level error with their cause', async () => {
    const { lines, log } = logged();
    const rig = await Rig.active({}, { log });
    rig.send({ type: 'hello' });
    const other = await Rig.active({}, { log });
    other.stream.listener.onClosed(new Error('out of memory'));
    const entries = lines.filter(({ code }) => typeof code === 'string');
    assert.deepEqual(
      entries.map(({ level, code, err }) => [
        level,
        code,
        (err as { message?: string } | undefined)?.message,
      ]),
      [
        [debug, 'hello_required', undefined],
        [error, 'engine_failed', 'out of memory'],
      ],
    );
  });
});

describe('messages', () => {
  it('of a client that does not read are no longer accepted', async () => {
    const rig = await Rig.active({ bufferedBytes: 1000 });
    rig.wire.bufferedBytes = 1000;
    rig.send({ type: 'ping', sent: 1 });
    assert.equal(rig.all('pong').length, 1);
    rig.wire.bufferedBytes = 1001;
    rig.send({ type: 'ping', sent: 2 });
    assert.equal(rig.all('pong').length, 1);
    assert.equal(rig.wire.closed?.reason, 'slow_reader');
  });

  it('of type ping are answered with their sending time and their arrival time', async (t) => {
    const rig = await Rig.active();
    const received = performance.now() + 1000;
    t.mock.method(performance, 'now', () => received);
    rig.send({ type: 'ping', sent: 17 });
    assert.deepEqual(rig.all('pong'), [{ type: 'pong', sent: 17, received }]);
  });

  it('beyond the rate limit are refused, and the session continues', async () => {
    const rig = await Rig.active({ updatesPerSecond: 1 });
    rig.send({ type: 'authenticate', token: 'a' });
    rig.send({ type: 'authenticate', token: 'b' });
    await turn();
    const refusal = rig.all('error').find(({ code }) => code === 'rate_limited');
    assert.equal(refusal?.message, 'more than 1 messages of this kind per second');
    assert.equal(rig.connection.state, 'active');
  });

  it('before ready, and a second hello, are refused; each connection has its own id', async () => {
    const rig = new Rig();
    const name = rig.connection.id;
    assert.equal(rig.connection.pacing, null);
    rig.send({ type: 'ping', sent: 1 });
    assert.match(rig.all('error')[0]?.message ?? '', /before ready/);
    const other = new Rig();
    other.send({ type: 'hello' });
    other.send({ type: 'hello' });
    assert.match(other.all('error')[0]?.message ?? '', /hello came twice/);
    const active = await Rig.active();
    assert.ok(active.connection.pacing);
    active.send({ type: 'hello' });
    assert.match(active.all('error')[0]?.message ?? '', /hello came twice/);
    assert.notEqual(name, active.connection.id);
  });

  it('are not read while the connection closes', async () => {
    const rig = await Rig.active();
    rig.connection.close('shutting_down');
    assert.equal(rig.connection.pacing, null);
    rig.connection.receive(Uint8Array.of(0xc1));
    rig.connection.receive(encodeMessage({ type: 'ping', sent: 1 }));
    assert.equal(rig.all('error').length, 1);
    assert.deepEqual(rig.all('pong'), []);
  });
});

describe('an error message', () => {
  it('for a result that cannot be encoded names the frame, whose memory is released', async () => {
    const { lines, log } = logged();
    const encode = (): Promise<never> => Promise.reject(new Error('no encoder'));
    const rig = await Rig.active({}, { log, pictures: { ...pictureCodec, encode } });
    await rig.generate(4);
    await rig.until(() => rig.all('error').length === 1);
    const [refusal] = rig.all('error');
    assert.deepEqual(
      [refusal?.code, refusal?.message, refusal?.['id']],
      ['internal', 'the result could not be encoded', 4],
    );
    assert.deepEqual(
      rig.all('dropped').map(({ id, reason }) => [id, reason]),
      [[4, 'failed']],
    );
    await rig.until(() => rig.stream.lent === 0);
    assert.ok(lines.some(({ level, msg }) => level === error && msg === 'the result could not be encoded'));
  });

  it('for an unexpected fault reveals nothing about it', async () => {
    const rig = new Rig({}, { access: { required: false, verify: () => Promise.resolve(anonymous) } });
    rig.send({ type: 'hello' });
    await rig.until(() => rig.connection.state === 'active');
    rig.context.access.verify = () => Promise.reject(new Error('secret'));
    rig.send({ type: 'authenticate', token: 'a' });
    await rig.until(() => rig.all('error').length === 1);
    assert.equal(rig.all('error')[0]?.code, 'internal');
    assert.doesNotMatch(JSON.stringify(rig.sent), /secret/);
  });

  it('has the details of the error', async () => {
    const rig = new Rig(
      {},
      {
        access: {
          required: true,
          verify: () => Promise.reject(new ProtocolError('limit_exceeded', 'too wide', { field: 'width' })),
        },
      },
    );
    rig.send({ type: 'hello', token: 'x' });
    await rig.until(() => rig.all('error').length > 0);
    const [refusal] = rig.all('error');
    assert.deepEqual(
      [refusal?.code, refusal?.message, refusal?.['field']],
      ['limit_exceeded', 'too wide', 'width'],
    );
  });
});
