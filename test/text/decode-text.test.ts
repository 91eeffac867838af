import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeText, parseJson } from '../../src/text/decode-text.js';
import { forms } from '../support/text-forms.js';

const value = { prompt: 'ein Fuchs 🦊' };
const json = JSON.stringify(value);

describe('decodeText', () => {
  for (const [form, bytes] of Object.entries(forms(json))) {
    it(`reads ${form}`, () => {
      assert.equal(decodeText(bytes), json);
      assert.deepEqual(parseJson(bytes), value);
    });
  }

  it('reads a text of one letter, and of none', () => {
    for (const bytes of Object.values(forms('7'))) assert.equal(parseJson(bytes), 7);
    assert.equal(decodeText(new Uint8Array()), '');
  });

  it('refuses what is no text, and says what to do', () => {
    const binary: readonly Buffer[] = [
      Buffer.of(0x7b, 0xff, 0x7d),
      Buffer.of(0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0),
      Buffer.of(0, 0, 0, 0x7b),
      Buffer.from('{"name":"Zoë"}', 'latin1'),
      Buffer.concat([Buffer.of(0xff, 0xfe), Buffer.from('{}', 'utf16le'), Buffer.of(0x7b)]),
    ];
    for (const bytes of binary)
      assert.throws(() => decodeText(bytes), /save it as UTF-8/, bytes.toString('hex'));
  });
});
