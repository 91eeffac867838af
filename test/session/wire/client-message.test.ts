import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { errors } from '@millrace/protocol';
import { Packr } from 'msgpackr';
import { parseClientMessage } from '../../../src/session/wire/client-message.js';
import { ProtocolError } from '../../../src/session/wire/protocol-error.js';

const packr = new Packr({ useRecords: false, variableMapSize: true });
const parse = (message: unknown): unknown => parseClientMessage(new Uint8Array(packr.pack(message)));
const data = Uint8Array.of(1, 2, 3);

const wrong: readonly (readonly [message: object, field: string])[] = [
  [{ type: 'hello', client: 5 }, 'client'],
  [{ type: 'hello', client: 'x'.repeat(201) }, 'client'],
  [{ type: 'frame', captured: 0, data }, 'id'],
  [{ type: 'frame', id: -1, captured: 0, data }, 'id'],
  [{ type: 'frame', id: 0.5, captured: 0, data }, 'id'],
  [{ type: 'frame', id: 2 ** 53, captured: 0, data }, 'id'],
  [{ type: 'frame', id: '0', captured: 0, data }, 'id'],
  [{ type: 'frame', id: 0, captured: Number.NaN, data }, 'captured'],
  [{ type: 'frame', id: 0, captured: null, data }, 'captured'],
  [{ type: 'frame', id: 0, captured: 0, data: 'abc' }, 'data'],
  [{ type: 'frame', id: 0, captured: 0, data: [1, 2, 3] }, 'data'],
  [{ type: 'frame', id: 0, captured: 0, data: null }, 'data'],
  [{ type: 'frame', id: 0, captured: 0, data, controls: [data] }, 'controls'],
  [{ type: 'frame', id: 0, captured: 0, data, controls: data }, 'controls'],
  [{ type: 'frame', id: 0, captured: 0, data, controls: new Uint8Array(0) }, 'controls'],
  [{ type: 'frame', id: 0, captured: 0, data, controls: 'depth' }, 'controls'],
  [{ type: 'frame', id: 0, captured: 0, data, controls: { depth: 'text' } }, 'controls'],
  [{ type: 'frame', id: 0, captured: 0, data, controls: { canny: data, depth: null } }, 'controls'],
  [{ type: 'frame', id: 0, captured: 0, data, controls: { depth: { depth: data } } }, 'controls'],
  [{ type: 'frame', id: null, captured: 0, data }, 'id'],
  [{ type: 'frame', id: 2n ** 63n, captured: 0, data }, 'id'],
  [{ type: 'authenticate', token: null }, 'token'],
  [{ type: 'authenticate', token: data }, 'token'],
  [{ type: 'hello', token: data }, 'token'],
  [{ type: 'ping', sent: Number.NaN }, 'sent'],
  [{ type: 'ping', sent: 0, offset: Number.NEGATIVE_INFINITY }, 'offset'],
  [{ type: 'ack', sequence: true }, 'sequence'],
  [{ type: 'update', request: null, parameters: {} }, 'request'],
  [{ type: 'update', parameters: {} }, 'request'],
  [{ type: 'hello', token: 5 }, 'token'],
  [{ type: 'hello', resume: 5 }, 'resume'],
  [{ type: 'hello', sent: '5' }, 'sent'],
  [{ type: 'ping' }, 'sent'],
  [{ type: 'ping', sent: 0, offset: '1' }, 'offset'],
  [{ type: 'authenticate' }, 'token'],
  [{ type: 'ack', sequence: Number.POSITIVE_INFINITY }, 'sequence'],
];

describe('parseClientMessage', () => {
  it('reads each message, and ignores unknown fields', () => {
    assert.deepEqual(parse({ type: 'hello', extra: 1 }), { type: 'hello', parameters: {} });
    assert.deepEqual(parse({ type: 'hello', client: 'me/1', parameters: { steps: 2 } }), {
      type: 'hello',
      client: 'me/1',
      parameters: { steps: 2 },
    });
    const frame = { type: 'frame', id: 2 ** 53 - 1, captured: -1.5, data };
    assert.deepEqual(parse({ ...frame, extra: 1 }), frame);
    const steered = { ...frame, controls: { depth: data, canny: new Uint8Array(0) } };
    assert.deepEqual(parse(steered), steered);
    assert.deepEqual(parse({ ...frame, controls: {} }), { ...frame, controls: {} });
    assert.deepEqual(parse({ ...frame, controls: null }), frame);
    const update = { type: 'update', request: 0, parameters: 'checked later' };
    assert.deepEqual(parse(update), update);
    assert.deepEqual(parse({ type: 'ack', sequence: 3, extra: null }), { type: 'ack', sequence: 3 });
    for (const message of [
      { type: 'ping', sent: 1.5 },
      { type: 'ping', sent: 1.5, offset: -2.5 },
      { type: 'authenticate', token: 'abc' },
      { type: 'hello', parameters: {}, client: 'x'.repeat(200), token: 'abc', resume: 'def', sent: 1 },
    ]) {
      assert.deepEqual(parse(message), message);
    }
  });

  for (const [message, field] of wrong) {
    it(`names the invalid field of ${inspect(message, { breakLength: Infinity }).slice(0, 60)}`, () => {
      assert.throws(() => parse(message), { code: 'invalid_message', details: { field } });
    });
  }

  it('says what a field must be', () => {
    for (const [message, wanted] of [
      [{ type: 'frame', id: -1, captured: 0, data }, 'id must be an integer from 0 to 2^53-1'],
      [{ type: 'frame', id: 0, captured: '', data }, 'captured must be a finite number'],
      [{ type: 'frame', id: 0, captured: 0, data: '' }, 'data must be binary'],
      [
        { type: 'frame', id: 0, captured: 0, data, controls: { depth: 1 } },
        'controls must be a map of binaries, and "depth" is none',
      ],
      [{ type: 'hello', client: 1 }, 'client must be a string of at most 200 characters'],
    ] as const) {
      assert.throws(() => parse(message), { message: wanted });
    }
  });

  it('treats nil as an absent field', () => {
    const nothing = { client: null, token: null, resume: null, sent: null, parameters: null };
    assert.deepEqual(parse({ type: 'hello', ...nothing }), { type: 'hello', parameters: {} });
    assert.deepEqual(parse({ type: 'ping', sent: 1, offset: null }), { type: 'ping', sent: 1 });
  });

  it('refuses invalid messages and unknown types', () => {
    assert.throws(() => parseClientMessage(Uint8Array.of(0xc1)), { code: 'invalid_message' });
    const message = 'unknown message type "ready"';
    assert.throws(() => parse({ type: 'ready' }), {
      code: 'unknown_message',
      message,
      details: { field: 'type' },
    });
    for (const [length, shown] of [
      [40, 'x'.repeat(40)],
      [41, `${'x'.repeat(40)}...`],
    ] as const) {
      assert.throws(() => parse({ type: 'x'.repeat(length) }), {
        message: `unknown message type "${shown}"`,
      });
    }
    assert.throws(
      () => parse({ type: 'x'.repeat(100_000) }),
      (error: unknown) => error instanceof ProtocolError && error.message.length < 100,
    );
  });
});

describe('ProtocolError', () => {
  it('says what its code means, unless it has another message', () => {
    assert.equal(new ProtocolError('queue_timeout').message, errors.queue_timeout.meaning);
    assert.equal(new ProtocolError('queue_timeout', 'after 5 s').message, 'after 5 s');
  });
});
