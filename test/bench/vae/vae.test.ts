import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelRuntime } from '../../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../../src/model/folder.js';
import { tinyModel } from '../../support/engine.js';
import { vaeFigures } from './calls.js';

test('calls of several pictures are compared with those of one', async () => {
  await using runtime = await ModelRuntime.load(await readModelFolder(tinyModel), { threads: 1 });
  const figures = await vaeFigures(runtime, { side: 64, counts: [1, 2, 3], rounds: 1 });
  assert.equal(figures.length, 6);
  for (const { what, value } of figures) assert.ok(value > 0, `${what}: ${value}`);
});
