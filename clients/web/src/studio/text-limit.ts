import type { ParameterDefinition } from '@millrace/client';
import { plainForm } from './plain-form.js';

/** Characters that a text parameter may have; undefined for what is no text. */
export function textLimit(definition: ParameterDefinition | undefined): number | undefined {
  return definition && plainForm(definition).maxLength;
}

/** What a person is told of a text that is longer than its limit; undefined if it is not. */
export function lengthProblem(value: unknown, limit: number | undefined): string | undefined {
  if (typeof value !== 'string' || limit === undefined || value.length <= limit) return undefined;
  return `This text is too long to be used: at most ${inFigures(limit)} characters.`;
}

export function inFigures(count: number): string {
  return count.toLocaleString('en');
}
