import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkLayout } from '../../../src/cli/doctor/inspect.js';
import { readModelFolder, type ModelFolder } from '../../../src/model/folder.js';
import { embeddedModel } from '../../support/engine.js';
import { layoutFolder } from '../../support/layouts.js';

function notesOn(model: ModelFolder, device: string | null): readonly string[] {
  return checkLayout(model, device)
    .filter(({ level }) => level === 'note')
    .map(({ text }) => text);
}

it('attention in plain operators is noted with what it stores and how to fuse it', async () => {
  const optimum = await readModelFolder(layoutFolder('optimum'));
  const model = { ...optimum, defaults: { width: 512, height: 256 } };
  assert.equal(model.attentionFactor, 2);
  const note =
    'attention is not fused in 8 layers, which store up to 4295 MB of scores a row and head at 512x256; run in ' +
    'ops/export: python -m millrace_export optimize FOLDER -o NEW';
  for (const device of ['cuda:0', 'webgpu', 'cpu', null]) assert.deepEqual(notesOn(model, device), [note]);
  for (const device of ['tensorrt', 'coreml']) assert.deepEqual(notesOn(model, device), [], device);
});

it('small scores are not worth a note', async () => {
  const model = await readModelFolder(embeddedModel);
  assert.equal(model.attentionFactor, 32);
  assert.deepEqual(notesOn(model, 'cpu'), []);
});
