import { canHaveEffect, type ParameterSchema } from '@millrace/protocol';

/** The model, as the page shows it. */
export interface DemoModel {
  readonly name: string;
  readonly description: string;
  /** The JSON Schema of each of its parameters. */
  readonly parameters: Readonly<Record<string, ParameterSchema>>;
}

/** A control of the page. */
interface Field {
  readonly default: unknown;
  readonly title: string;
  readonly id: string;
  readonly field: 'textarea' | 'seed' | 'range' | 'checkbox' | 'select';
  readonly [detail: string]: unknown;
}

/** Parameters with controls besides those that are always shown; the page needs width and height. */
const further: ReadonlySet<string> = new Set(['negative_prompt', 'seed', 'width', 'height']);
/** Positions of a slider for a fraction. */
const sliderSteps = 100;

/** Returns what the page needs to build itself; both parts are in the form of pydantic's JSON Schema. */
export function demoSettings({ name, description, parameters }: DemoModel): {
  readonly info: object;
  readonly input_params: object;
  readonly page_content: string;
} {
  const fields = Object.entries(parameters).flatMap(([id, schema]) => {
    const field = fieldOf(id, schema);
    return field ? [[id, field] as const] : [];
  });
  const text = (title: string, value: string): object => ({ title, type: 'string', default: value });
  const page_content = `<h1>${escapeHtml(name)}</h1><p>${escapeHtml(description)}</p>`;
  return {
    info: {
      title: 'Info',
      type: 'object',
      properties: {
        name: text('Name', name),
        title: text('Title', name),
        description: text('Description', description),
        input_mode: text('Input Mode', 'image'),
        page_content: text('Page Content', page_content),
      },
    },
    input_params: { title: 'InputParams', type: 'object', properties: Object.fromEntries(fields) },
    page_content,
  };
}

/** Returns null for a parameter without a control. */
function fieldOf(id: string, schema: ParameterSchema): Field | null {
  const main = schema['x-group'] === 'main';
  if (!(main || further.has(id)) || !canHaveEffect(schema)) return null;
  const size = id === 'width' || id === 'height';
  const { title, default: value } = schema;
  const common = { default: value, title, id, hide: !main, ...(size && { disabled: true }) };
  if (id === 'seed') return { ...common, field: 'seed', type: 'integer', min: 0 };
  if (id === 'prompt' || schema.type === 'string') return { ...common, field: 'textarea', type: 'string' };
  if (schema.type === 'boolean') return { ...common, field: 'checkbox', type: 'boolean' };
  const { enum: choices, minimum: min, maximum: max } = schema;
  if (choices) return { ...common, field: 'select', type: 'string', values: choices };
  if (typeof value !== 'number' || min === undefined || max === undefined) return null;
  const whole = schema.type === 'integer';
  const step = whole ? (schema.multipleOf ?? 1) : (max - min) / sliderSteps;
  return { ...common, field: 'range', type: whole ? 'integer' : 'number', min, max, step };
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
