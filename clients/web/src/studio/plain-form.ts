import type { ParameterDefinition } from '@millrace/client';

/** Returns the first of the alternative forms of a parameter, which is the plain one. */
export function plainForm(definition: Partial<ParameterDefinition>): Partial<ParameterDefinition> {
  return definition.anyOf?.[0] ?? definition;
}
