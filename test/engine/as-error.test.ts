import assert from 'node:assert/strict';
import { it } from 'node:test';
import { asError } from '../../src/engine/as-error.js';

it('asError returns errors unchanged, and turns anything else into the message of a new error', () => {
  const error = new TypeError('no such thing');
  assert.equal(asError(error), error);
  const other = asError('words');
  assert.ok(other instanceof Error);
  assert.equal(other.message, 'words');
  assert.equal(asError(null).message, 'null');
});
