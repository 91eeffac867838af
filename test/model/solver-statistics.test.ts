import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ModelError } from '../../src/model/model-error.js';
import { readSolverStatistics } from '../../src/model/solver-statistics.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(folder, { recursive: true }));
const path = join(folder, 'dpm_solver_v3.json');

async function read(value: unknown): ReturnType<typeof readSolverStatistics> {
  await writeFile(path, JSON.stringify(value));
  return readSolverStatistics(path);
}

describe('dpm_solver_v3.json', () => {
  it('is not there for most models', async () => {
    assert.equal(await readSolverStatistics(join(folder, 'other.json')), null);
  });

  it('has a number for each value of lambda, or one for each element', async () => {
    const pooled = await read({ l: [1, 2], s: [3, 4], b: [5, 6] });
    assert.deepEqual([pooled?.elements, [...(pooled?.s ?? [])]], [1, [3, 4]]);
    const row = [1, 2, 3];
    const single = await read({ l: [row, row], s: [row, row], b: [row, [4, 5, 6]] });
    assert.deepEqual([single?.elements, [...(single?.b ?? [])]], [3, [1, 2, 3, 4, 5, 6]]);
  });

  it('is refused if its values do not fit each other', async () => {
    const wrong = [
      { l: [1, 2], s: [3, 4] },
      { l: [1], s: [1], b: [1] },
      { l: [1, 2], s: [3, 4], b: [5, 6, 7] },
      { l: [1, [2]], s: [3, 4], b: [5, [6, 7]] },
      { l: ['1', 2], s: [3, 4], b: [5, 6] },
    ];
    for (const value of wrong) await assert.rejects(read(value), ModelError, JSON.stringify(value));
  });
});
