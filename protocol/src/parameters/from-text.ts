import type { ParameterSchema } from './parameter-schema.js';

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

/**
 * Converts text, such as a command-line option or a field of a form, to the type of its parameter: numbers and names in
 * lists are separated by commas, or written as JSON; null stands for no list. Invalid text stays text, for the schema to
 * refuse.
 */
export function parameterFromText({ type, anyOf, enum: choices }: ParameterSchema, text: string): unknown {
  if (text.trim() === 'null' && choices?.includes(null)) return null;
  if (choices) return choices.find((choice) => String(choice) === text) ?? text;
  const types = new Set([type ?? anyOf?.flatMap((part) => ('type' in part ? part.type : [])) ?? []].flat());
  if (types.has('boolean')) return booleans.get(text) ?? text;
  if ((types.has('array') || types.has('object')) && /^\s*[[{]/.test(text)) return jsonFromText(text);
  if (types.has('number') || types.has('integer')) return numberFromText(text);
  if (types.has('null') && text.trim() === 'null') return null;
  if (types.has('array') && !types.has('string'))
    return text.split(',').map((part) => numberFromText(part.trim()));
  return text;
}

/** Returns the number that the text says, or the text if it says none. */
export function numberFromText(text: string): number | string {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

function jsonFromText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
