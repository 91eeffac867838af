import type { JSX } from 'preact';
import { textLimit } from '../studio/text-limit.js';
import { ChoiceControl } from './choice-control.js';
import { controlKind, type ControlDefinition } from './control-kind.js';
import type { ControlProps } from './control-props.js';
import { PictureControl, type Picture } from './picture-control.js';
import { ListControl, NumberControl, RangeControl, TextControl } from './value-controls.js';

interface ParameterControlProps {
  readonly name: string;
  readonly definition: ControlDefinition;
  readonly value: unknown;
  /** Whether it has an effect, given the other parameters. */
  readonly used: boolean;
  /** What is wrong with the value. */
  readonly problem: string | undefined;
  /** Whether a slider has all allowed values, not only the useful ones. */
  readonly wholeRange?: boolean;
  /** URLs of pictures to show beside its settings, by their keys. */
  readonly previews?: Readonly<Record<string, string>> | undefined;
  /** URL of a picture to show beside it. */
  readonly preview?: string | undefined;
  readonly onChange: (value: unknown, settled: boolean) => void;
}

/**
 * A parameter: its title, the control for its schema, and what is wrong with its value. Nothing for a map that can have
 * no settings with this model, or a single choice.
 */
export function ParameterControl(props: ParameterControlProps): JSX.Element | null {
  const {
    name,
    definition,
    value,
    used,
    problem,
    wholeRange = false,
    previews = {},
    preview,
    onChange,
  } = props;
  const id = `parameter-${name}`;
  const kind = controlKind(definition);
  if (kind.name === 'group' && Object.keys(kind.settings).length === 0) return null;
  if (kind.name === 'choice' && kind.choices.length === 1) return null;
  const shared = { id, disabled: !used, invalid: problem !== undefined, onChange };
  return (
    <div
      class="control"
      data-kind={kind.name}
      data-used={used}
      data-testid={id}
      role="group"
      aria-labelledby={`${id}-title`}
    >
      <label
        class="title"
        id={`${id}-title`}
        // A row of buttons, or a group, refers to the title with aria-labelledby.
        for={kind.name === 'group' || (kind.name === 'choice' && kind.compact) ? undefined : id}
        title={definition.description}
      >
        {definition.title}
      </label>
      {preview !== undefined && (
        <img
          class="preview"
          src={preview}
          alt={`What ${definition.title} sees`}
          data-testid={`${id}-preview`}
        />
      )}
      {kind.name === 'toggle' && <ToggleControl {...shared} value={value === true} />}
      {kind.name === 'choice' && (
        <ChoiceControl {...shared} value={value as string} choices={kind.choices} compact={kind.compact} />
      )}
      {kind.name === 'range' && (
        <RangeControl
          {...shared}
          {...kind}
          useful={wholeRange ? undefined : kind.useful}
          value={Number(value)}
        />
      )}
      {kind.name === 'number' && <NumberControl {...shared} {...kind} value={Number(value)} />}
      {kind.name === 'list' && (
        <ListControl {...shared} value={value as readonly (number | string)[] | null} />
      )}
      {kind.name === 'text' && (
        <TextControl {...shared} limit={textLimit(definition)} value={String(value)} />
      )}
      {kind.name === 'picture' && <PictureControl {...shared} value={value as Picture} />}
      {kind.name === 'group' && (
        <GroupControl
          {...shared}
          name={name}
          settings={kind.settings}
          value={value as Values | undefined}
          previews={previews}
        />
      )}
      {definition['x-group'] === 'more' && <p class="description">{definition.description}</p>}
      <p class="problem" id={`${id}-problem`} role="alert">
        {problem}
      </p>
    </div>
  );
}

type Values = Readonly<Record<string, unknown>>;

interface GroupProps extends ControlProps<Values | undefined> {
  readonly name: string;
  readonly settings: Readonly<Record<string, ControlDefinition>>;
  readonly previews: Readonly<Record<string, string>>;
}

/** A control for each setting within a value that is a map. A change sends all of the map. */
function GroupControl({ name, settings, value, disabled, previews, onChange }: GroupProps): JSX.Element {
  const usual = Object.fromEntries(
    Object.entries(settings).flatMap(([key, setting]) =>
      setting.default === undefined ? [] : [[key, setting.default]],
    ),
  );
  const values: Values = { ...usual, ...value };
  return (
    <>
      {Object.entries(settings).map(([key, setting]) => (
        <ParameterControl
          key={key}
          name={`${name}-${key}`}
          definition={setting}
          value={values[key]}
          used={!disabled}
          problem={undefined}
          preview={previews[key]}
          onChange={(changed, settled) => onChange({ ...values, [key]: changed }, settled)}
        />
      ))}
    </>
  );
}

function ToggleControl({ id, value, disabled, onChange }: ControlProps<boolean>): JSX.Element {
  return (
    <input
      id={id}
      type="checkbox"
      role="switch"
      checked={value}
      disabled={disabled}
      onChange={({ currentTarget }) => onChange(currentTarget.checked, true)}
    />
  );
}
