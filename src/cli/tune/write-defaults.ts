import { readFile } from 'node:fs/promises';
import { hasEffect, parameterSchemas, solverParameterNames } from '@millrace/protocol';
import { codeOf } from '../error-code.js';
import type { Candidate } from './candidates.js';
import { replaceFile } from './replace-file.js';

/** One default that changes in millrace.json. */
export interface Change {
  readonly name: string;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * Returns the parameters of a candidate that have an effect with its solvers, and the solver that sessions get if they
 * choose one for all steps.
 */
export function effectiveParts(candidate: Candidate): Readonly<Record<string, unknown>> {
  const names = solverParameterNames.filter(
    (name) => name === 'solver' || hasEffect(parameterSchemas[name], candidate),
  );
  const { num_inference_steps, t_index_list } = candidate;
  const options = names.map((name) => [name, candidate[name]] as const);
  return { ...Object.fromEntries(options), num_inference_steps, t_index_list };
}

/**
 * Prepares that a model starts with a candidate, by the defaults in its millrace.json; all else in the file stays.
 * @param path the file, which may not exist yet.
 * @returns what changes, and what writes it.
 */
export async function prepareDefaults(
  path: string,
  candidate: Candidate,
): Promise<{ readonly changes: readonly Change[]; readonly write: () => Promise<void> }> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '{}';
    throw error;
  });
  const settings = JSON.parse(text) as { readonly defaults?: Readonly<Record<string, unknown>> };
  const before = settings.defaults ?? {};
  const defaults = { ...before, ...effectiveParts(candidate) };
  const changes = Object.entries(defaults)
    .map(([name, to]): Change => ({ name, from: before[name], to }))
    .filter(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to));
  const write = (): Promise<void> =>
    replaceFile(path, `${JSON.stringify({ ...settings, defaults }, null, 2)}\n`);
  return { changes, write };
}
