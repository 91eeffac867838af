import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParameterError } from '../../src/engine/engine.js';
import { checkPreprocessor, preprocessorsOf } from '../../src/engine/preprocessors.js';
import { preprocessorLayout } from '../support/preprocessor-model.js';

const model = { preprocessors: [{ ...preprocessorLayout, name: 'depth', title: 'Depth' }] };

test('the preprocessors of a model are those that need no network, and its own', () => {
  const facts = preprocessorsOf(model);
  assert.deepEqual(
    facts.map(({ name, network }) => [name, network]),
    [
      ['canny', false],
      ['soft_edge', false],
      ['passthrough', false],
      ['depth', true],
    ],
  );
  assert.equal(facts.at(-1)?.title, 'Depth');
});

test('a preprocessor that the model lacks is refused, and the message names those that exist', () => {
  checkPreprocessor('edges', 'canny', model);
  checkPreprocessor('edges', 'depth', model);
  assert.throws(
    () => checkPreprocessor('edges', 'pose', model),
    (error) =>
      error instanceof ParameterError &&
      error.field === 'controls' &&
      error.message ===
        'the preprocessor of edges must be canny, soft_edge, passthrough or depth, not "pose"',
  );
  assert.throws(() => checkPreprocessor('edges', 'depth', { preprocessors: [] }), ParameterError);
});
