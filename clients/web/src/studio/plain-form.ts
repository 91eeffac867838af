import type { ParameterDefinition } from '@millrace/client';

/** Returns the first of the alternative forms of a parameter, which is the plain one. */
export function plainForm(
  definition: ParameterDefinition,
): Pick<ParameterDefinition, 'type' | 'minimum' | 'maximum' | 'maxLength'> {
  return definition.anyOf?.[0] ?? definition;
}
