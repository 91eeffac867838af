import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FieldError, readFields, serverMessages, understoodInWords } from '@millrace/protocol';

const { updated } = serverMessages;

function readUnderstood(understood: unknown): unknown {
  return readFields(updated.fields, { request: 1, from: 2, parameters: {}, understood })['understood'];
}

describe('the field understood', () => {
  const entry = { text: 'oil', tokens: 1, styles: { 'oil painting': 0.9 } };

  it('is a list of maps, read without unknown fields', () => {
    assert.deepEqual(readUnderstood([{ ...entry, more: 1 }, entry]), [entry, entry]);
    assert.deepEqual(readUnderstood([]), []);
  });

  const wrong: readonly (readonly [unknown, field: string])[] = [
    [{}, 'understood'],
    [[entry, 'oil'], 'understood'],
    [[[]], 'understood'],
    [[entry, { ...entry, tokens: -1 }], 'understood[1].tokens'],
    [[{ ...entry, styles: { oil: 'much' } }], 'understood[0].styles'],
    [[{ ...entry, moods: { warm: Infinity } }], 'understood[0].moods'],
    [[{ ...entry, weights: [1] }], 'understood[0].weights'],
  ];
  for (const [value, field] of wrong) {
    it(`names ${field} in ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => readUnderstood(value),
        (error: unknown) => error instanceof FieldError && error.field === field,
      );
    });
  }
});

describe('understoodInWords', () => {
  const words: readonly (readonly [Parameters<typeof understoodInWords>[0], string])[] = [
    [{ text: 'a cat', tokens: 2 }, '2 tokens'],
    [{ text: 'cat', tokens: 1 }, '1 token'],
    [{ text: 'cat', tokens: 75, truncated: 4 }, '75 tokens; the last 4 tokens are not read'],
    [{ text: '(cat:1.4)', tokens: 1, weights: { cat: 1.4 } }, '1 token; "cat" counts 1.4 times'],
    [
      { text: 'warm oil', tokens: 2, styles: { 'oil painting': 0.956 }, moods: { 'warm colors': 0.5 } },
      'oil painting 96%, warm colors 50%',
    ],
    [
      { text: 'a robot', tokens: 2, styles: { cyberpunk: 0.87 }, moods: {}, nearest: true },
      'nearest in meaning: cyberpunk 87%',
    ],
    [
      { text: 'a robot', tokens: 2, styles: {}, moods: {}, ignored: 'robot arm' },
      'names no style or mood of this model; without effect: robot, arm',
    ],
  ];
  for (const [prompt, line] of words) it(line, () => assert.equal(understoodInWords(prompt), line));
});
