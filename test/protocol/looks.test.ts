import { formatLooks, looksSchema, parseLooks, schemaAnnotations, type Look } from '@millrace/protocol';
import { parseLooks as parseInClient } from '@millrace/client';
import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

const ajv = new Ajv2020({ strict: false, keywords: [...schemaAnnotations] });
const isValid = ajv.compile(looksSchema);

const night: Look = {
  name: 'Night',
  model: 'millrace-styles',
  parameters: {
    prompt: [
      { text: 'neon lights', weight: 1 },
      { text: 'oil painting', weight: 0.5 },
    ],
    seed: 7,
    strength: 0.6,
    t_index_list: null,
    controls: { canny: { scale: 0.5 } },
    mask_preprocessor: 'person',
    style_image: Uint8Array.of(255, 216, 0, 128),
  },
  picture: '/9j/',
};

/** Returns the text of a file with one look that has these fields. */
const fileWith = (fields: object, version: unknown = 1): string =>
  JSON.stringify({ version, looks: [{ name: 'A', parameters: {}, ...fields }] });

describe('a file of looks', () => {
  it('is read as it was written, with the bytes of its style image, and fits its schema', () => {
    const text = formatLooks([night, { name: 'Plain', parameters: {} }]);
    assert.deepEqual(parseLooks(text), [night, { name: 'Plain', parameters: {} }]);
    assert.ok(isValid(JSON.parse(text)), JSON.stringify(isValid.errors));
  });

  it('leaves out a style image that only the server has, and ignores fields of later versions', () => {
    const text = formatLooks([{ name: 'A', parameters: { style_image: 'sha256:abc', seed: 1 } }]);
    assert.deepEqual(parseLooks(text), [{ name: 'A', parameters: { seed: 1 } }]);
    assert.deepEqual(parseLooks(fileWith({ tags: ['x'] })), [{ name: 'A', parameters: {} }]);
  });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['text that is not JSON', '{', /must be JSON/],
    ['another file of JSON', '[]', /"version" and a list "looks"/],
    ['a later version', fileWith({}, 2), /version .* must be 1, not 2/],
    ['a look that is no map', '{"version":1,"looks":[1]}', /looks\[0\] must be a map/],
    ['a look without a name', fileWith({ name: '' }), /looks\[0\]\.name must be a text of 1 to 100/],
    ['a look without parameters', fileWith({ parameters: null }), /looks\[0\]\.parameters must be a map/],
    ['an unknown parameter', fileWith({ parameters: { stregth: 1 } }), /unknown parameter "stregth"/],
    [
      'an inherited name as a parameter',
      fileWith({ parameters: { toString: 1 } }),
      /unknown parameter "toString"/,
    ],
    ['a strength above 1', fileWith({ parameters: { strength: 2 } }), /must be a number from 0 to 1, not 2/],
    ['half a step', fileWith({ parameters: { steps: 1.5 } }), /must be an integer from 1 to 10, not 1.5/],
    ['an unknown choice', fileWith({ parameters: { cfg_type: 'most' } }), /must be one of .*, not "most"/],
    ['a size between multiples', fileWith({ parameters: { width: 257 } }), /multiple of 8, not 257/],
    ['a prompt of numbers', fileWith({ parameters: { prompt: [1] } }), /parameters\.prompt must be/],
    ['a prompt without weights', fileWith({ parameters: { prompt: [{ text: 'a' }] } }), /\.prompt must be/],
    ['an empty list of prompts', fileWith({ parameters: { prompt: [] } }), /parameters\.prompt must be/],
    ['a list as controls', fileWith({ parameters: { controls: [] } }), /parameters\.controls must be/],
    ['a style image that is not base64', fileWith({ parameters: { style_image: '*' } }), /in base64/],
  ];
  for (const [what, text, message] of refused) {
    it(`is refused with ${what}, by the SDK with the code invalid_look`, () => {
      assert.throws(() => parseLooks(text), { name: 'TypeError', message });
      assert.throws(() => parseInClient(text), { name: 'MillraceError', code: 'invalid_look', message });
      const isBase64 = message.source.includes('base64');
      if (text !== '{' && !isBase64) assert.ok(!isValid(JSON.parse(text)), 'its schema refuses it too');
    });
  }
});
