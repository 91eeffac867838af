import type { ParameterUpdate } from '@millrace/client';
import type { Definitions } from './settings-text.js';

/** Prompts and seeds in a blend; the server takes no more. */
const mostParts = 8;

/**
 * Returns parameters on the way from one look to another. Numbers, prompts and seeds are blended; all else, and what
 * the form of the picture depends on, changes in the middle.
 * @param share 0 for the first look, 1 for the second.
 * @param defaults the values of what a look does not have.
 */
export function morph(
  looks: readonly [ParameterUpdate, ParameterUpdate],
  share: number,
  { definitions, defaults }: { readonly definitions: Definitions; readonly defaults: ParameterUpdate },
): ParameterUpdate {
  const [from, to] = looks.map((look): Readonly<Record<string, unknown>> => ({ ...defaults, ...look }));
  const names = [...new Set(looks.flatMap((look) => Object.keys(look)))];
  return Object.fromEntries(
    names.map((name) => [name, between(name, [from?.[name], to?.[name]], share, definitions[name])]),
  );
}

function between(
  name: string,
  [a, b]: readonly [unknown, unknown],
  share: number,
  definition: Definitions[string] | undefined,
): unknown {
  const nearer = share < 0.5 ? a : b;
  if (JSON.stringify(a) === JSON.stringify(b) || share <= 0 || share >= 1) return nearer;
  if (name === 'prompt') return blend(a, b, share, 'text');
  if (name === 'seed') return blend(a, b, share, 'seed');
  const isForm = definition?.['x-applies']?.includes('input') === true;
  if (isForm || typeof a !== 'number' || typeof b !== 'number') return nearer;
  const value = a + (b - a) * share;
  return definition?.type === 'integer' ? Math.round(value) : rounded(value);
}

/** Returns both as one list with weights, or the nearer one if the list would be too long. */
function blend(a: unknown, b: unknown, share: number, key: 'text' | 'seed'): unknown {
  const parts = [...weighted(a, key, 1 - share), ...weighted(b, key, share)];
  if (parts.length <= mostParts) return parts;
  return share < 0.5 ? a : b;
}

/** Returns a value as a list whose weights have this sum. */
function weighted(value: unknown, key: string, sum: number): readonly object[] {
  if (!Array.isArray(value)) return [{ [key]: value, weight: rounded(sum) }];
  const parts = value as readonly ({ readonly weight: number } & Readonly<Record<string, unknown>>)[];
  const all = parts.reduce((total, { weight }) => total + weight, 0) || 1;
  return parts.map((part) => ({ [key]: part[key], weight: rounded((part.weight * sum) / all) }));
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
