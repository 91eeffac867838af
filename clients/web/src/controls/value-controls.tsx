import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { CharacterCount } from './character-count.js';
import type { ControlProps } from './control-props.js';

interface Bounds {
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
}

interface RangeProps extends ControlProps<number> {
  readonly minimum: number;
  readonly maximum: number;
  readonly step: number;
  /** The part of the range that the slider has; it grows to include the value. Undefined: all of it. */
  readonly useful: readonly [least: number, most: number] | undefined;
}

/** A slider over the useful values, with a field for exact ones, which takes all that are allowed. */
export function RangeControl({ useful, ...props }: RangeProps): JSX.Element {
  const { id, value, minimum, maximum, step, disabled, onChange } = props;
  const least = useful === undefined ? minimum : Math.min(useful[0], value);
  const most = useful === undefined ? maximum : Math.max(useful[1], value);
  const filled = (value - least) / (most - least);
  return (
    <>
      <NumberControl {...props} field={`${id}-exact`} />
      <input
        id={id}
        type="range"
        min={least}
        max={most}
        step={step}
        value={value}
        disabled={disabled}
        style={{ '--part': Math.min(1, Math.max(0, filled)) }}
        onInput={({ currentTarget }) => onChange(currentTarget.valueAsNumber, false)}
        onChange={({ currentTarget }) => onChange(currentTarget.valueAsNumber, true)}
      />
    </>
  );
}

interface NumberProps extends ControlProps<number>, Bounds {
  readonly step?: number;
  /** Id of the field if it is not the parameter's main control. */
  readonly field?: string;
}

/** A number field. Numbers out of range are sent too: the server's answer says what is wrong with them. */
export function NumberControl(props: NumberProps): JSX.Element {
  const { id, field = id, value, minimum, maximum, step = 'any', disabled, invalid, onChange } = props;
  const [text, setDraft] = useDraft(String(value));
  return (
    <input
      id={field}
      class="number"
      type="number"
      inputMode="decimal"
      min={minimum}
      max={maximum}
      step={step}
      value={text}
      disabled={disabled}
      aria-invalid={invalid}
      aria-labelledby={`${id}-title`}
      aria-describedby={`${id}-problem`}
      onInput={({ currentTarget }) => {
        setDraft(currentTarget.value);
        if (Number.isFinite(currentTarget.valueAsNumber)) onChange(currentTarget.valueAsNumber, false);
      }}
    />
  );
}

/** A field for numbers or names separated by commas; null if it is empty. */
export function ListControl(props: ControlProps<readonly (number | string)[] | null>): JSX.Element {
  const { id, value, disabled, invalid, onChange } = props;
  const [text, setDraft] = useDraft(value?.join(', ') ?? '');
  return (
    <input
      id={id}
      type="text"
      inputMode="text"
      placeholder="automatic"
      value={text}
      disabled={disabled}
      aria-invalid={invalid}
      aria-describedby={`${id}-problem`}
      onInput={({ currentTarget }) => setDraft(currentTarget.value)}
      onChange={({ currentTarget }) => {
        const parts = currentTarget.value.split(/[\s,;]+/).filter((part) => part !== '');
        onChange(parts.length === 0 ? null : parts.map(numberOrText), true);
      }}
    />
  );
}

/** Returns the text itself if it is not a number: a name, or what the server's answer then quotes. */
function numberOrText(text: string): number | string {
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

interface TextProps extends ControlProps<string> {
  /** Maximum number of characters. */
  readonly limit: number | undefined;
}

/** A text field. A text over the limit is not cut: `problem` of the parameter reports it. */
export function TextControl({ id, value, limit, disabled, invalid, onChange }: TextProps): JSX.Element {
  return (
    <>
      <CharacterCount id={`${id}-count`} text={value} limit={limit} />
      <input
        id={id}
        type="text"
        value={value}
        disabled={disabled}
        aria-invalid={invalid}
        aria-describedby={`${id}-problem ${id}-count`}
        onInput={({ currentTarget }) => onChange(currentTarget.value, false)}
      />
    </>
  );
}

/** Returns the text of a field. It follows `value`, except while a number is being typed ("0." before "0.5"). */
function useDraft(value: string): readonly [string, (text: string) => void] {
  const [text, setText] = useState(value);
  useEffect(() => setText((typed) => (Number(typed) === Number(value) ? typed : value)), [value]);
  return [text, setText];
}
