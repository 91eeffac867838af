import assert from 'node:assert/strict';
import { predictedNoise } from '../../src/diffusion/prediction.js';
import { assertClose } from './compare.js';
import type { SafeTensors } from './safetensors.js';
import { tableSolver, tolerances, type SchedulerTable } from './scheduler-table.js';

/** Runs a solver freely on the recorded outputs of the model and compares all its intermediate values. */
export function followRun(table: SchedulerTable, steps: string, tensors: SafeTensors): void {
  const run = table.runs[steps];
  const tolerance = tolerances(table);
  const solver = tableSolver(table, Number(steps));
  const where = (what: string): string => `${steps} steps: ${what}`;

  assert.equal(solver.stages.length, run.calls, where('calls'));
  const timesteps = tensors.floats(`${steps}.timesteps`);
  for (const [i, { timestep }] of solver.stages.entries()) {
    assert.ok(
      Math.abs(timestep - timesteps[i]) <= tolerance.timesteps,
      where(`timestep ${i} is ${timestep}`),
    );
  }

  const sample = startOf(table, steps, tensors, solver.stages[0], solver.initNoiseSigma);
  assertClose(sample, tensors.floats(`${steps}.start`), tolerance.values, where('start'));
  const { length } = sample;
  const history = solver.createHistory(length);
  const silence = new Float32Array(length);
  const input = new Float32Array(length);
  const eps = new Float64Array(length);
  for (const [i, stage] of solver.stages.entries()) {
    for (let k = 0; k < length; k++) input[k] = sample[k] * stage.inputScale;
    assertClose(input, tensors.entry(`${steps}.model_input`, i), tolerance.values, where(`model input ${i}`));
    const output = tensors.entry(`${steps}.model_output`, i);
    predictedNoise(table.config.prediction_type ?? 'epsilon', stage, sample, output, eps);
    const draw = run.noise_drawn_in_call.indexOf(i);
    const noise = draw < 0 ? silence : tensors.entry(`${steps}.noise`, draw);
    solver.step({ stage: i, sample, eps, noise, history, out: sample });
    assertClose(
      sample,
      tensors.entry(`${steps}.after`, i),
      tolerance.values,
      where(`sample after call ${i}`),
    );
  }
}

/** Returns the sample before the first call: a clean one noised to the first stage, or noise alone. */
function startOf(
  table: SchedulerTable,
  steps: string,
  tensors: SafeTensors,
  stage: { readonly a: number; readonly b: number; readonly inputScale: number },
  initNoiseSigma: number,
): Float32Array {
  if (table.begin_index === 0) {
    // The table has only the scaled start: its noise is that divided by the scheduler's own sigma.
    const sigma = table.runs[steps].init_noise_sigma;
    return tensors.floats(`${steps}.start`).map((value) => (value / sigma) * initNoiseSigma);
  }
  const noise = tensors.floats(`${steps}.start_noise`);
  return tensors
    .floats(`${steps}.clean`)
    .map((clean, i) => (stage.a * clean + stage.b * noise[i]) / stage.inputScale);
}
