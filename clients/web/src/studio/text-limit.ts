import type { ParameterDefinition } from '@millrace/client';

/** Characters that a text parameter may have; undefined for what is no text. */
export function textLimit(definition: ParameterDefinition | undefined): number | undefined {
  // Of alternatives, the first is the plain one.
  return (definition?.anyOf?.[0] ?? definition)?.maxLength;
}

/** What a person is told of a text that is longer than its limit; undefined if it is not. */
export function lengthProblem(value: unknown, limit: number | undefined): string | undefined {
  if (typeof value !== 'string' || limit === undefined || value.length <= limit) return undefined;
  return `This text is too long to be used: at most ${inFigures(limit)} characters.`;
}

export function inFigures(count: number): string {
  return count.toLocaleString('en');
}
