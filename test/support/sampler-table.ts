import assert from 'node:assert/strict';
import type { SchedulerConfig } from '../../src/diffusion/schedule.js';
import type { SolverName, SolverOptions } from '../../src/diffusion/solver-options.js';
import type { History, Solver } from '../../src/diffusion/types.js';
import { assertClose } from './compare.js';
import { readReferenceJson, type ReferenceCase } from './reference.js';
import { readSafeTensors, type SafeTensors } from './safetensors.js';

/** A sampler of a paper, step by step: the JSON beside the tensors. */
interface SamplerTable {
  readonly name: string;
  /** The kind of the sampler, which says what its tensors mean. */
  readonly family: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** null: the family has no training schedule. */
  readonly schedule: SchedulerConfig | null;
  /** By number of steps. */
  readonly runs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly tolerance: string;
}

/** One run of a table. */
export interface SamplerRun {
  readonly table: SamplerTable;
  readonly steps: number;
  /** What the table says of this run. */
  readonly info: Readonly<Record<string, unknown>>;
  /** Returns a recorded tensor. */
  readonly tensor: (name: string) => Float32Array;
  /** Returns the recorded values of a call or step. */
  readonly entry: (name: string, index: number) => Float32Array;
  readonly has: (name: string) => boolean;
  /** Returns the number of rows of a batch [rows, ...]. */
  readonly rows: (name: string) => number;
  /** Returns one row of a batch, of a step if there is one for each step: [steps, rows, ...]. */
  readonly row: (name: string, step: number | null, row: number) => Float32Array;
  /** Compares values with the recorded ones, within the tolerance of the table. */
  readonly compare: (got: ArrayLike<number>, want: ArrayLike<number>, what: string) => void;
}

export async function readSamplerRuns({ json, tensors }: ReferenceCase): Promise<readonly SamplerRun[]> {
  const table = (await readReferenceJson(json)) as SamplerTable;
  const values = await readSafeTensors(tensors);
  return Object.entries(table.runs).map(([steps, info]) => runOf(table, steps, info, values));
}

function runOf(
  table: SamplerTable,
  steps: string,
  info: SamplerRun['info'],
  values: SafeTensors,
): SamplerRun {
  const tolerance = Number(/<= ([\d.e+-]+) \* max\(1/.exec(table.tolerance)?.[1]);
  assert.ok(tolerance > 0, `tolerance: ${table.tolerance}`);
  return {
    table,
    steps: Number(steps),
    info,
    tensor: (name) => values.floats(`${steps}.${name}`),
    entry: (name, index) => values.entry(`${steps}.${name}`, index),
    has: (name) => values.has(`${steps}.${name}`),
    rows: (name) => values.shape(`${steps}.${name}`)[0],
    row(name, step, row) {
      const shape = values.shape(`${steps}.${name}`);
      const batch =
        step === null ? values.floats(`${steps}.${name}`) : values.entry(`${steps}.${name}`, step);
      const length = batch.length / (step === null ? shape[0] : shape[1]);
      return batch.subarray(row * length, (row + 1) * length);
    },
    compare: (got, want, what) =>
      assertClose(Float64Array.from(got), want, tolerance, `${steps} steps: ${what}`),
  };
}

/**
 * Runs a solver freely on the recorded outputs of the model, and compares the inputs of the model, its timesteps and
 * all samples.
 * @param after looks at what else was recorded of a step. @param before what the history has from the start.
 */
export function followSolver(
  solver: Solver,
  { tensor, entry, has, compare }: SamplerRun,
  after?: (index: number, history: Readonly<Record<string, unknown>>) => void,
  before: History = {},
): void {
  compare(
    solver.stages.map(({ timestep }) => timestep),
    tensor('timesteps'),
    'timesteps',
  );
  const sample = tensor('start').slice();
  const { length } = sample;
  const history = { ...solver.createHistory(length), ...before };
  const silence = new Float32Array(length);
  for (const [stage, { inputScale }] of solver.stages.entries()) {
    compare(
      sample.map((value) => value * inputScale),
      entry('model_input', stage),
      `model input ${stage}`,
    );
    const eps = Float64Array.from(entry('model_output', stage));
    const noise = has('noise') ? entry('noise', stage) : silence;
    solver.step({ stage, sample, eps, noise, history, out: sample });
    compare(sample, entry('after', stage), `sample after call ${stage}`);
    after?.(stage, history);
  }
}

/** The options of a whole schedule, with nothing special. */
export function usualOptions(solver: SolverName, steps: number): SolverOptions {
  return {
    solver,
    num_inference_steps: steps,
    t_index_list: null,
    timestep_spacing: null,
    solver_order: 2,
    algorithm_type: 'dpmsolver++',
    use_karras_sigmas: false,
    eta: 0,
    gamma: 0,
    do_add_noise: true,
  };
}
