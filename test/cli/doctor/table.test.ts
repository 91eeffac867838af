import assert from 'node:assert/strict';
import { it } from 'node:test';
import { table, wrap } from '../../../src/cli/doctor/table.js';

it('breaks texts between words', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('a-very-long-word and more', 8), ['a-very-long-word', 'and more']);
  assert.deepEqual(wrap('', 8), ['']);
});

it('lays rows out in columns, and wraps the last column', () => {
  const rows = [
    ['ok', 'short'],
    ['note', 'a longer text that does not fit into one line'],
    ['', 'no name'],
  ];
  assert.deepEqual(table(rows, 32), [
    '  ok    short',
    '  note  a longer text that does',
    '        not fit into one line',
    '        no name',
  ]);
  assert.deepEqual(table([], 80), []);
});
