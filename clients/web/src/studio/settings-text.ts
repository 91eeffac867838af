import type { ParameterDefinition, ParameterUpdate } from '@millrace/client';
import { parameterFromText, type ParameterSchema } from '@millrace/protocol';

export type Definitions = Readonly<Record<string, ParameterDefinition>>;

/**
 * Returns parameters as the fragment of an address, such as `prompt=oil+painting&steps=2`. Pictures are too long for
 * it and left out; entries of `present` that name no parameter stay.
 */
export function toFragment(parameters: ParameterUpdate, definitions: Definitions, present: string): string {
  const entries = new URLSearchParams(present.replace(/^#/, ''));
  for (const name of Array.from(entries.keys())) if (definitions[name]) entries.delete(name);
  for (const [name, value] of Object.entries(parameters)) {
    if (definitions[name]?.contentEncoding !== undefined) continue;
    entries.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return entries.toString();
}

/** Returns the parameters in the fragment of an address; undefined if it has none. Other entries are ignored. */
export function fromFragment(fragment: string, definitions: Definitions): ParameterUpdate | undefined {
  const found = [...new URLSearchParams(fragment.replace(/^#/, ''))].flatMap(([name, text]) => {
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    return definition ? [[name, parameterFromText(definition as ParameterSchema, text)] as const] : [];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}
