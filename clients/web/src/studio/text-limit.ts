import type { ParameterDefinition } from '@millrace/client';
import { plainForm } from './plain-form.js';

/** Returns the maximum number of characters of a text parameter; undefined for others. */
export function textLimit(definition: Partial<ParameterDefinition> | undefined): number | undefined {
  return definition && plainForm(definition).maxLength;
}

/** Returns the message for a text that is too long; undefined if it is not. */
export function lengthProblem(value: unknown, limit: number | undefined): string | undefined {
  if (typeof value !== 'string' || limit === undefined || value.length <= limit) return undefined;
  return `This text is too long: at most ${inFigures(limit)} characters.`;
}

export function inFigures(count: number): string {
  return count.toLocaleString('en');
}
