import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exportNotes } from '../../../../src/engine/worker/calibration/export-notes.js';
import { readModelFolder, type ModelFolder } from '../../../../src/model/folder.js';
import { layoutFolder } from '../../../support/layouts.js';

const costs = [
  { rows: 1, ms: 10 },
  { rows: 2, ms: 12 },
  { rows: 4, ms: 20 },
];

it('notes say what an export cannot do and what that costs', async () => {
  const free = await readModelFolder(layoutFolder('sdxl'));
  assert.deepEqual(exportNotes(free, true, costs), []);

  const scalar = await readModelFolder(layoutFolder('optimum-onnx'));
  assert.deepEqual(exportNotes(scalar, false, costs), [
    'unet/model.onnx takes one timestep for all rows: rows at different steps need separate calls (2 rows at one ' +
      'step cost 12.0 ms, at two steps 20.0 ms); export it again with a dynamic timestep for each row',
  ]);

  const fixed = await readModelFolder(layoutFolder('lcm'));
  const [batch, timestep, size, ...rest] = exportNotes(fixed, false, costs);
  assert.match(
    batch,
    /takes exactly 2 rows: smaller calls are padded \(1 row costs 10\.0 ms, 2 rows 12\.0 ms\)/,
  );
  assert.match(timestep, /takes one timestep for all rows/);
  assert.equal(
    size,
    'the model was exported for pictures of 64 x 64 only; export it again with a dynamic height and width',
  );
  assert.deepEqual(rest, []);

  const single: ModelFolder = {
    ...fixed,
    layout: { ...fixed.layout, unet: { ...fixed.layout.unet, rows: 1 } },
  };
  const [one, ...others] = exportNotes(single, false, costs);
  assert.match(one, /takes 1 row at a time: 2 rows need two calls \(12\.0 ms\)/);
  assert.equal(others.length, 1);
});

it('notes say which sides of pictures are fixed and which are free', async () => {
  const free = await readModelFolder(layoutFolder('sdxl'));
  const sizes = (fixedSize: ModelFolder['fixedSize']): readonly string[] =>
    exportNotes({ ...free, fixedSize }, true, costs);
  const again = 'only; export it again with a dynamic height and width';
  assert.deepEqual(sizes({ width: 64 }), [`the model was exported for pictures of 64 x any height ${again}`]);
  assert.deepEqual(sizes({ height: 64 }), [`the model was exported for pictures of any width x 64 ${again}`]);
});
