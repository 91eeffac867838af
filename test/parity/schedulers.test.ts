import assert from 'node:assert/strict';
import { test } from 'node:test';
import { referenceCases } from '../support/reference.js';
import { readSafeTensors } from '../support/safetensors.js';
import { followRun } from '../support/scheduler-run.js';
import { readSchedulerTable, unsupportedReason } from '../support/scheduler-table.js';

test('solvers follow the samplers of diffusers', async (t) => {
  const cases = referenceCases('schedulers');
  assert.notEqual(cases.length, 0, 'scheduler tables exist');
  for (const file of cases) {
    await t.test(file.name, async (t) => {
      const table = await readSchedulerTable(file);
      const unsupported = unsupportedReason(table);
      if (unsupported !== null) {
        t.skip(`not supported yet: ${unsupported}`);
        return;
      }
      const tensors = await readSafeTensors(file.tensors);
      for (const steps of Object.keys(table.runs)) followRun(table, steps, tensors);
    });
  }
});
