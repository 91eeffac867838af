import assert from 'node:assert/strict';
import { createNoiseSchedule } from '../../../src/diffusion/schedule.js';
import { measureStatistics } from '../../../src/diffusion/solvers/measure-statistics.js';
import type { SamplerRun } from '../../support/sampler-table.js';

/** Measures the statistics for DPM-Solver-v3 of the table's predictor, of each element and pooled. */
export async function followStatistics(run: SamplerRun): Promise<void> {
  assert.match(
    String((run.table as { model?: unknown }).model),
    /^m\(x, t\) = 0\.5 \* tanh\(x\) \+ 0\.2 \* x \+ 0\.1 \* sin\(t \/ 100\)/,
  );
  const starts = Array.from({ length: run.rows('start') }, (_, i) =>
    Float64Array.from(run.entry('start', i)),
  );
  for (const pooled of [false, true]) {
    const found = await measureStatistics(
      createNoiseSchedule(run.table.schedule ?? {}),
      starts,
      async (sample, { timestep }) =>
        Promise.resolve(sample.map((x) => 0.5 * Math.tanh(x) + 0.2 * x + 0.1 * Math.sin(timestep / 100))),
      { intervals: run.steps, pooled, difference: 1e-5 },
    );
    for (const name of ['l', 's', 'b'] as const)
      run.compare(
        found[name],
        run.tensor(pooled ? `${name}_scalar` : name),
        `${name}, ${pooled ? 'pooled' : 'each'}`,
      );
  }
}
