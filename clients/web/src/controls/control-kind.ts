import type { ParameterDefinition } from '@millrace/client';
import { plainForm } from '../studio/plain-form.js';

type Choice = string | number | null;

/** What a control is made from: the schema of a parameter, or of a setting within one. */
export type ControlDefinition = Pick<ParameterDefinition, 'title'> &
  Partial<Omit<ParameterDefinition, 'title'>>;

/** The kind of control that shows a parameter. */
export type ControlKind =
  | { readonly name: 'toggle' }
  | { readonly name: 'choice'; readonly choices: readonly Choice[]; readonly compact: boolean }
  | {
      readonly name: 'range';
      readonly minimum: number;
      readonly maximum: number;
      readonly step: number;
      /** Where results are good. */
      readonly useful: readonly [least: number, most: number] | undefined;
    }
  | { readonly name: 'number'; readonly minimum: number | undefined; readonly maximum: number | undefined }
  | { readonly name: 'list' }
  | { readonly name: 'text' }
  | { readonly name: 'picture' }
  | { readonly name: 'group'; readonly settings: Readonly<Record<string, ControlDefinition>> };

/** Number of characters that fit in a row of buttons. */
const compactLetters = 28;

/** Returns the kind of control for a parameter, from its JSON Schema. */
export function controlKind(definition: ControlDefinition): ControlKind {
  if (definition.properties !== undefined) return { name: 'group', settings: definition.properties };
  if (definition.contentEncoding !== undefined) return { name: 'picture' };
  if (definition.enum !== undefined) {
    const letters = definition.enum.join('').length;
    return { name: 'choice', choices: definition.enum, compact: letters <= compactLetters };
  }
  const { type, minimum, maximum } = plainForm(definition);
  switch (type) {
    case 'boolean':
      return { name: 'toggle' };
    case 'integer':
    case 'number':
      if (definition.anyOf !== undefined || minimum === undefined || maximum === undefined) {
        return { name: 'number', minimum, maximum };
      }
      return {
        name: 'range',
        minimum,
        maximum,
        step: stepOf(definition, maximum - minimum),
        useful: definition['x-useful'],
      };
    case 'string':
      return { name: 'text' };
    default:
      return { name: 'list' };
  }
}

function stepOf({ type, multipleOf }: ControlDefinition, span: number): number {
  if (multipleOf !== undefined) return multipleOf;
  if (type === 'integer') return 1;
  return span <= 2 ? 0.01 : 0.1;
}
