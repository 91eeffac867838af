import type { Capabilities } from '@millrace/client';
import { canHaveEffect } from '@millrace/protocol';
import type { JSX } from 'preact';
import { controlKind } from '../controls/control-kind.js';
import type { ParameterName } from '../studio/parameter-desk.js';
import type { Studio } from '../studio/studio.js';
import { CrossButton } from './cross-button.js';
import { SmallButton } from './small-button.js';

/** Inputs that can be chosen; others are learned. */
const chosenInputs = ['microphone level', 'microphone beat', 'beat', 'wave'] as const;

/** What moves which parameter. */
export function RouteRows({ studio }: { readonly studio: Studio }): JSX.Element {
  const { performer } = studio;
  const { routes } = performer;
  const names = movable(studio);
  const first = names.find((name) => name === 'strength') ?? names[0];
  return (
    <>
      <div class="row">
        {first !== undefined && (
          <SmallButton testId="add-route" onClick={() => routes.add(first)}>
            Move a parameter
          </SmallButton>
        )}
        <SmallButton
          pressed={performer.hasMidi.value}
          testId="midi"
          onClick={() => void performer.connectMidi()}
        >
          MIDI
        </SmallButton>
        <SmallButton
          pressed={performer.listening.value}
          testId="microphone"
          onClick={() => void performer.toggleMicrophone()}
        >
          Microphone
        </SmallButton>
      </div>
      {routes.all.value.map((route, i) => (
        <div class="row route" key={i} data-testid="route">
          <select
            class="field grow"
            aria-label="Parameter"
            value={route.parameter}
            data-testid="route-parameter"
            onChange={({ currentTarget }) => routes.redirect(i, currentTarget.value as ParameterName)}
          >
            {names.map((name) => (
              <option key={name} value={name}>
                {definitionOf(studio, name)?.title}
              </option>
            ))}
          </select>
          <select
            class="field grow"
            aria-label="Moved by"
            value={routes.learning.value === i ? 'learn' : route.input}
            data-testid="route-input"
            onChange={({ currentTarget: { value } }) => {
              if (value === 'learn') routes.learn(i);
              else routes.change(i, { input: value });
            }}
          >
            {route.input === '' && <option value="">nothing yet</option>}
            <option value="learn">move a knob…</option>
            {[...new Set([...chosenInputs, route.input])].map(
              (input) =>
                input !== '' && (
                  <option key={input} value={input}>
                    {input}
                  </option>
                ),
            )}
          </select>
          {(['from', 'to'] as const).map((end) => (
            <input
              type="number"
              key={end}
              class="field short"
              step="any"
              aria-label={end === 'from' ? 'Lowest value' : 'Highest value'}
              value={route[end]}
              data-testid={`route-${end}`}
              onInput={({ currentTarget: { valueAsNumber } }) => {
                if (Number.isFinite(valueAsNumber)) routes.change(i, { [end]: valueAsNumber });
              }}
            />
          ))}
          <CrossButton name="Remove" testId="remove-route" onClick={() => routes.remove(i)} />
        </div>
      ))}
      <p class="quiet">
        A knob of a MIDI device or a gamepad, the level or the beat of the microphone, the beat that you tap,
        or a wave of eight such beats moves any number.
      </p>
    </>
  );
}

type Definition = Capabilities['parameters']['properties'][ParameterName];

function definitionOf(studio: Studio, name: ParameterName): Definition | undefined {
  return studio.capabilities.value?.parameters.properties[name];
}

/** Returns the parameters that are numbers with an effect; a change of the picture's size would interrupt it. */
function movable(studio: Studio): readonly ParameterName[] {
  const properties = studio.capabilities.value?.parameters.properties;
  return (Object.keys(properties ?? {}) as ParameterName[]).filter((name) => {
    const definition = properties?.[name];
    if (!definition || controlKind(definition).name !== 'range' || !canHaveEffect(definition)) return false;
    return !(definition['x-applies'] ?? []).some((role) => role === 'input' || role === 'flow');
  });
}
