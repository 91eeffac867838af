import {
  numberFromText,
  parameterFromText,
  parameterNames,
  parameterSchemas,
  type ParameterName,
  type ParameterSchema,
} from '@millrace/protocol';
import { Option, type Command } from 'commander';

/**
 * Parameters that `run` takes in a form of its own: one --prompt (there is nothing to blend), --size, --quality,
 * --control for each control, and --style-image with the path of a file.
 */
const ownForm: ReadonlySet<ParameterName> = new Set([
  'prompt',
  'prompt_blend',
  'prompt_composition',
  'width',
  'height',
  'quality',
  'controls',
  'style_image',
]);

const helpGroup = 'Parameters of the generation:';

const offered = parameterNames.filter((name) => !parameterSchemas[name]['x-live'] && !ownForm.has(name));

/** Those that can be null. */
const nullable = offered.filter((name) => {
  const { type, enum: choices } = parameterSchemas[name];
  return choices?.includes(null) ?? type?.includes('null') ?? false;
});

/** Adds an option for every parameter that is not for live streams only, made from its schema. */
export function addParameterOptions(command: Command): void {
  for (const name of offered) {
    command.addOption(optionOf(`--${name.replaceAll('_', '-')}`, parameterSchemas[name]));
  }
  command.addOption(
    new Option(
      '--control <name=scale>',
      'Steer by a control of the model, such as canny=0.5 or canny=0.5,end=0.6,preprocessor=soft_edge; once for each',
    )
      .argParser(addControl)
      .helpGroup(helpGroup),
  );
  command.addOption(
    new Option('--style-image <file>', 'A picture that says what the output looks like').helpGroup(helpGroup),
  );
}

/** Returns the parameters among parsed options, by their own names; those that were not given are left out. */
export function parametersFrom(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const keys = offered.map((name): readonly [name: string, key: string] => [
    name,
    name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
  ]);
  const given = Object.fromEntries(
    [...keys, ['controls', 'control'] as const]
      .map(([name, key]) => [name, options[key]] as const)
      .filter(([, value]) => value !== undefined),
  );
  // Commander turns null into an empty text.
  for (const name of nullable) if (given[name] === '') given[name] = null;
  return given;
}

/** Adds a control in the form NAME=SCALE,SETTING=VALUE,... to those before. */
function addControl(text: string, before: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const [first = '', ...others] = text.split(',');
  const [name = '', scale = ''] = first.split('=');
  const settings = others.map((part) => {
    const [setting = '', value = ''] = part.split('=');
    return [setting, numberFromText(value)] as const;
  });
  return { ...before, [name]: { scale: numberFromText(scale), ...Object.fromEntries(settings) } };
}

function optionOf(flag: string, schema: ParameterSchema): Option {
  const { type, description, default: usual } = schema;
  const all = schema.enum?.filter((value) => value !== null).map(String) ?? [];
  // A description that names every choice needs no list.
  const choices = all.every((choice) => description.includes(choice)) ? '' : all.join(', ');
  const option =
    type === 'boolean' && usual === true
      ? new Option(
          flag.replace('--', '--no-'),
          `turn off: ${description.charAt(0).toLowerCase()}${description.slice(1)}`,
        )
      : new Option(
          type === 'boolean' ? flag : `${flag} <value>`,
          choices ? `${description} (${choices})` : description,
        );
  // A flag has no text.
  if (type !== 'boolean') option.argParser((text) => parameterFromText(schema, text));
  return option.helpGroup(helpGroup);
}
