import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  clientMessages,
  decodeMessage,
  encodeMessage,
  readFields,
  serverMessages,
  type ClientMessage,
} from '@millrace/protocol';
import { messageFromJson } from './message-json.js';

const folder = new URL('../../../protocol/fixtures/', import.meta.url);
const types = [...Object.keys(clientMessages), ...Object.keys(serverMessages)];

describe('golden fixtures', () => {
  for (const type of types) {
    const bytes = readFileSync(new URL(`${type}.bin`, folder));
    const message = messageFromJson(readFileSync(new URL(`${type}.json`, folder), 'utf8'));

    it(`${type}: the bytes decode to the message`, () => {
      assert.equal(message.type, type);
      assert.deepEqual(decodeMessage(new Uint8Array(bytes)), message);
    });

    it(`${type}: the message encodes to the bytes`, () => {
      assert.equal(Buffer.from(encodeMessage(message)).toString('hex'), bytes.toString('hex'));
    });
  }

  it('exist for these messages and no others', () => {
    const wanted = types.flatMap((type) => [`${type}.bin`, `${type}.json`]);
    assert.deepEqual(readdirSync(folder).sort(), [...wanted, 'invalid'].sort());
  });
});

describe('fixtures of invalid messages', () => {
  const invalid = new URL('invalid/', folder);
  for (const name of new Set(readdirSync(invalid).map((file) => file.replace(/\.\w+$/, '')))) {
    it(`${name}: the bytes decode to the message, and the field at fault is named`, () => {
      const [type = '', field] = name.split('.');
      const bytes = new Uint8Array(readFileSync(new URL(`${name}.bin`, invalid)));
      const message = messageFromJson(readFileSync(new URL(`${name}.json`, invalid), 'utf8'));
      assert.deepEqual([message.type, decodeMessage(bytes)], [type, message]);
      const { fields } = clientMessages[type as ClientMessage['type']];
      assert.throws(() => readFields(fields, decodeMessage(bytes)), { name: 'FieldError', field });
    });
  }
});

describe('a message with a picture', () => {
  for (const length of [1023, 1024, 0xffff, 0x1_0000, 300_000]) {
    it(`of ${length} bytes comes back unchanged, even in reused memory`, () => {
      const data = new Uint8Array(length).map((_, i) => (7 * i) % 251);
      const message: ClientMessage = { type: 'frame', id: 3, captured: 1.5, data };
      const memory = new Uint8Array(length + 1000).fill(0xff);
      for (const bytes of [encodeMessage(message), encodeMessage(message, () => memory)]) {
        assert.deepEqual(decodeMessage(bytes), message);
      }
    });
  }

  it('comes back unchanged with pictures of controls', () => {
    const [small, large] = [Uint8Array.of(1, 2, 3), new Uint8Array(70_000).fill(4)];
    for (const data of [small, large]) {
      const message: ClientMessage = {
        type: 'frame',
        id: 3,
        captured: 1.5,
        controls: { depth: large, canny: small },
        data,
      };
      assert.deepEqual(decodeMessage(encodeMessage(message)), message);
    }
  });
});
