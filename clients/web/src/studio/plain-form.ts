import type { ParameterDefinition } from '@millrace/client';

/** Of alternative forms of a parameter, the first, which is the plain one. */
export function plainForm(
  definition: ParameterDefinition,
): Pick<ParameterDefinition, 'type' | 'minimum' | 'maximum' | 'maxLength'> {
  return definition.anyOf?.[0] ?? definition;
}
