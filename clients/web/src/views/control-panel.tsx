import type { ParameterUpdate } from '@millrace/client';
import { canHaveEffect, hasEffect } from '@millrace/protocol';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { ParameterControl } from '../controls/parameter-control.js';
import type { ParameterName } from '../studio/parameter-desk.js';
import type { Studio } from '../studio/studio.js';

/** Controls for the parameters that the server publishes: the main ones, and the others behind "More". */
export function ControlPanel({ studio }: { readonly studio: Studio }): JSX.Element {
  const { desk } = studio;
  const wholeRanges = useSignal(false);
  const properties = studio.capabilities.value?.parameters.properties;
  // The prompt has its own field, and whether there is a video is a matter of the source.
  const names = (Object.keys(properties ?? {}) as ParameterName[]).filter((name) => {
    const definition = properties?.[name];
    return (
      name !== 'prompt' &&
      definition &&
      canHaveEffect(definition) &&
      !definition['x-applies']?.includes('flow')
    );
  });
  const previews = desk.inForce.value.control_previews === true ? studio.previews.pictures.value : {};
  const values = desk.values.value;
  const controls = (group: 'main' | 'more'): JSX.Element[] =>
    names.flatMap((name) => {
      if (properties?.[name]['x-group'] !== group) return [];
      const used = hasEffect(properties[name], values);
      const problem = desk.problems.value[name];
      // The others are many: those without effect only take room, unless their value was refused.
      if (group === 'more' && !used && problem === undefined) return [];
      return (
        <ParameterControl
          key={name}
          name={name}
          definition={properties[name]}
          wholeRange={wholeRanges.value}
          value={values[name]}
          used={used}
          problem={problem}
          previews={name === 'controls' ? previews : undefined}
          onChange={(value, settled) => desk.set(name, value as ParameterUpdate[typeof name], settled)}
        />
      );
    });
  return (
    <section class="card controls" aria-label="Look">
      {controls('main')}
      <details class="more">
        <summary data-testid="more">More</summary>
        <div class="controls">
          <div class="control">
            <label class="title" for="whole-ranges">
              Sliders beyond what looks good
            </label>
            <input
              id="whole-ranges"
              type="checkbox"
              role="switch"
              checked={wholeRanges.value}
              data-testid="whole-ranges"
              onChange={({ currentTarget }) => (wholeRanges.value = currentTarget.checked)}
            />
          </div>
          {controls('more')}
        </div>
      </details>
      <button type="button" class="link reset" onClick={() => desk.replace({})}>
        Reset everything
      </button>
    </section>
  );
}
