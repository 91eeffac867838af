import assert from 'node:assert/strict';
import { it } from 'node:test';
import { repositoryRoot } from '../support/reference.js';
import { equivalents, matches } from './equivalents.js';
import { mutantsOf, sample } from './mutants.js';

const mutants = mutantsOf(repositoryRoot, 'dist/src/diffusion/stream.js');

it('a mutant is named after its place in the source', () => {
  const found = mutants.find(({ after }) => after === 'this.admission.frameBufferSize + entering');
  assert.equal(found?.file, 'src/diffusion/stream.ts');
  assert.equal(found.source, 'return Math.max(0, this.admission.frameBufferSize - entering);');
});

it('a sample depends on its seed alone', () => {
  const some = sample(mutants, 20, 'a');
  assert.equal(new Set(some).size, 20);
  assert.deepEqual(sample(mutants.toReversed(), 20, 'a'), some);
  assert.deepEqual(sample(mutants, 10, 'a'), some.slice(0, 10));
  assert.notDeepEqual(sample(mutants, 20, 'b'), some);
  assert.equal(sample(mutants, 1e9, 'a').length, mutants.length);
});

it('an equivalent is recognised by its code, whatever its line number', () => {
  const [mutant] = mutants;
  const { file, source, before, after } = mutant;
  const entry = { file, source, change: `${before} -> ${after}`, reason: 'none' };
  assert.ok(matches(entry, { ...mutant, line: 1 }));
  assert.ok(!matches({ ...entry, source: 'other();' }, mutant));
  assert.ok(!matches({ ...entry, change: 'a -> b' }, mutant));
});

it('every equivalent has a reason', () => {
  for (const { file, reason } of equivalents) assert.ok(reason.length > 10, file);
});
