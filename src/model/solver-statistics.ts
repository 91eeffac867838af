import { createValidator } from '../text/validator.js';
import { ModelError } from './model-error.js';
import { exists, readModelJson } from './model-files.js';

/** Statistics for DPM-Solver-v3, as src/diffusion takes them. */
interface SolverStatistics {
  readonly elements: number;
  readonly l: Float64Array;
  readonly s: Float64Array;
  readonly b: Float64Array;
}

/** Values at evenly spaced lambdas, noisiest first: one number each, or one for each element of a latent. */
type Values = readonly (number | readonly number[])[];

interface StatisticsFile {
  readonly l: Values;
  readonly s: Values;
  readonly b: Values;
}

const numbers = {
  type: 'array',
  minItems: 2,
  items: { anyOf: [{ type: 'number' }, { type: 'array', minItems: 1, items: { type: 'number' } }] },
} as const;

const validate = createValidator<StatisticsFile>({
  type: 'object',
  properties: { l: numbers, s: numbers, b: numbers },
  required: ['l', 's', 'b'],
});

/**
 * Reads dpm_solver_v3.json, statistics of the model for DPM-Solver-v3.
 * @returns null if the file does not exist.
 * @throws {ModelError} if it is invalid.
 */
export async function readSolverStatistics(path: string): Promise<SolverStatistics | null> {
  if (!(await exists(path))) return null;
  const file = await readModelJson(path, validate);
  const lengths = new Set(Object.values({ l: file.l, s: file.s, b: file.b }).flatMap(elementsOf));
  const [elements = 0] = lengths;
  if (lengths.size > 1 || file.s.length !== file.l.length || file.b.length !== file.l.length)
    throw new ModelError(path, 'l, s and b must have equally many values of one form; correct the file');
  const flat = (values: Values): Float64Array => Float64Array.from(values.flat());
  return { elements, l: flat(file.l), s: flat(file.s), b: flat(file.b) };
}

function elementsOf(values: Values): readonly number[] {
  return values.map((value) => (typeof value === 'number' ? 1 : value.length));
}
