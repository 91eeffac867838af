import { chosenSolvers } from '@millrace/protocol';
import { timeIndices } from '../../diffusion/time-indices.js';
import { callsOf, candidateOf, plainCandidate, type Candidate, type Space } from './candidates.js';
import type { Curve } from './plot.js';
import type { Found, Measure } from './search.js';

/** A line of the table. */
export interface Row {
  readonly name: string;
  readonly calls: number;
  /** null if pictures cannot be drawn so. */
  readonly error: number | null;
}

/** What a search gained, on pictures that it has not seen. */
export interface Report {
  readonly rows: readonly Row[];
  readonly curves: readonly Curve[];
  /** The model's own defaults; null if pictures cannot be drawn so. */
  readonly usual: { readonly calls: number; readonly error: number } | null;
  readonly tuned: { readonly calls: number; readonly error: number };
  /** The best with one solver for all steps; null if that is what was found. */
  readonly uniform: { readonly calls: number; readonly error: number } | null;
}

export interface ReportOptions {
  readonly measure: Measure;
  readonly pictures: readonly number[];
  readonly budget: number;
}

/** Returns the table as lines of text. */
export function tableText(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length));
  const shown = (error: number | null): string => (error === null ? 'cannot be drawn' : error.toFixed(4));
  const lines = rows.map(
    ({ name, calls, error }) =>
      `${name.padEnd(width)}  ${String(calls).padStart(2)} ${calls === 1 ? 'call ' : 'calls'}  ${shown(error)}\n`,
  );
  return lines.join('');
}

/** Numbers of calls at which solvers are compared. */
export const comparedCalls = [1, 2, 4, 8] as const;

/** Compares what was found with the model's defaults, with one solver at even times, and with one at the best times. */
export async function reportOn(
  space: Space,
  { candidate: found, uniform: { candidate: single } }: Pick<Found, 'candidate' | 'uniform'>,
  options: ReportOptions,
): Promise<Report> {
  const { measure, pictures, budget } = options;
  const error = (candidate: Candidate): Promise<number | null> => meanError(candidate, measure, pictures);
  const present = presentOf(space);
  const presentCalls = callsOf(space.scheduler, present) ?? 1;
  const presentError = await error(present);
  const tunedError = await error(found);
  const isMixed = found.solver_schedule !== null;
  const singleError = isMixed ? await error(single) : null;
  const own: Row[] = [];
  const even: Row[] = [];
  for (const calls of comparedCalls) {
    const steps = timeIndices(space.strength, calls, space.usual.num_inference_steps);
    own.push({
      name: 'defaults, other steps',
      calls,
      error: await error({ ...present, t_index_list: steps }),
    });
    const plain = plainCandidate(space, single.solver, calls);
    if (plain) even.push({ name: `${plain.solver}, even`, calls, error: await error(plain) });
  }
  const tuned = { calls: budget, error: tunedError ?? Infinity };
  const uniform = singleError === null ? null : { calls: budget, error: singleError };
  const uniformName = 'tuned, one solver for all steps';
  const rows = [
    { name: 'defaults as they are', calls: presentCalls, error: presentError },
    ...own,
    ...even,
    ...(uniform ? [{ name: uniformName, ...uniform }] : []),
    { name: 'tuned', calls: budget, error: tunedError },
  ];
  return {
    rows,
    curves: [
      curveOf(`${chosenSolvers(present).join(', ')} at even times (defaults)`, own),
      curveOf(`${single.solver} at even times`, even),
      { name: isMixed ? 'tuned, a solver for each step' : 'tuned', points: [tuned] },
      ...(uniform ? [{ name: uniformName, points: [uniform] }] : []),
    ],
    usual: presentError === null ? null : { calls: presentCalls, error: presentError },
    tuned,
    uniform,
  };
}

/** Returns the root mean square of the errors on pictures; null if one cannot be drawn. */
export async function meanError(
  candidate: Candidate,
  measure: Measure,
  pictures: readonly number[],
): Promise<number | null> {
  let squares = 0;
  for (const picture of pictures) {
    const error = await measure(candidate, picture);
    if (error === null) return null;
    squares += error ** 2;
  }
  return Math.sqrt(squares / pictures.length);
}

/** Returns the model's defaults, with the strength of the comparison. */
function presentOf({ usual, strength }: Space): Candidate {
  const own = candidateOf(usual);
  const { t_index_list: list, num_inference_steps: length } = own;
  return { ...own, t_index_list: list ?? timeIndices(strength, usual.steps, length) };
}

function curveOf(name: string, rows: readonly Row[]): Curve {
  return {
    name,
    points: rows.flatMap(({ calls, error }) => (error === null ? [] : [{ calls, error }])),
  };
}
