import type { JSX } from 'preact';
import type { ControlProps } from './control-props.js';

type Choice = string | number | null;

interface ChoiceControlProps extends ControlProps<Choice> {
  readonly choices: readonly Choice[];
  /** Whether all choices fit in a row of buttons. */
  readonly compact: boolean;
}

/** A choice between values: a row of buttons, or a menu if they do not fit. */
export function ChoiceControl(props: ChoiceControlProps): JSX.Element {
  const { id, value, choices, compact, disabled, invalid, onChange } = props;
  if (!compact) {
    return (
      <select
        id={id}
        disabled={disabled}
        aria-invalid={invalid}
        aria-describedby={`${id}-problem`}
        value={choices.indexOf(value)}
        // Not selectedIndex, which counts "choose one" too.
        onChange={({ currentTarget }) => onChange(choices[Number(currentTarget.value)], true)}
      >
        {!choices.includes(value) && (
          <option value={-1} disabled>
            choose one
          </option>
        )}
        {choices.map((choice, index) => (
          <option key={choice} value={index}>
            {label(choice)}
          </option>
        ))}
      </select>
    );
  }
  return (
    <div class="segments" role="radiogroup" aria-labelledby={`${id}-title`}>
      {choices.map((choice) => (
        <label key={choice}>
          <input
            type="radio"
            name={id}
            checked={choice === value}
            disabled={disabled}
            onChange={() => onChange(choice, true)}
          />
          <span>{label(choice)}</span>
        </label>
      ))}
    </div>
  );
}

function label(choice: Choice): string {
  if (choice === null) return 'default';
  return String(choice).replace(/Scheduler$/, '');
}
