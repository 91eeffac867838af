import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { repositoryRoot } from '../../support/reference.js';
import { readSafeTensors } from '../../support/safetensors.js';
import { followRun } from '../../support/scheduler-run.js';
import { readSchedulerTable } from '../../support/scheduler-table.js';

/** Tables of diffusers samplers with settings that few models have (see make.py beside them). */
const folder = join(repositoryRoot, 'test/fixtures/schedulers');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.safetensors'))
  .map((file) => file.slice(0, -'.safetensors'.length));

describe('solvers with rare settings', () => {
  it('have enough recorded tables', () => assert.ok(names.length >= 20));

  for (const name of names) {
    it(`follow diffusers: ${name}`, async () => {
      const [json, tensors] = [join(folder, `${name}.json`), join(folder, `${name}.safetensors`)];
      const table = await readSchedulerTable({ name, json, tensors });
      const values = await readSafeTensors(tensors);
      for (const steps of Object.keys(table.runs)) followRun(table, steps, values);
    });
  }
});
