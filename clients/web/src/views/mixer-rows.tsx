import type { JSX } from 'preact';
import { mostPrompts } from '../studio/mixer.js';
import type { Studio } from '../studio/studio.js';
import { names } from '../studio/style-prompt.js';
import { CrossButton } from './cross-button.js';
import { SmallButton } from './small-button.js';

/** Up to four prompts with their weights, and the cross-fade between them. */
export function MixerRows({ studio }: { readonly studio: Studio }): JSX.Element {
  const { mixer, seconds } = studio.performer;
  const prompts = mixer.prompts.value;
  const unmixed = studio.styles.all.value.styles.find((style) =>
    prompts.every(({ text }) => !names(text, style)),
  );
  const last = prompts.length - 1;
  return (
    <>
      {prompts.map(({ text, weight }, i) => (
        <div class="row mixed" key={i} data-testid="mixed">
          <input
            type="text"
            class="field grow"
            aria-label={`Prompt ${i + 1}`}
            value={text}
            data-testid="mixed-text"
            onChange={({ currentTarget }) => mixer.change(i, { text: currentTarget.value }, true)}
          />
          {prompts.length > 1 && (
            <>
              <input
                type="range"
                class="slider"
                min={0}
                max={1}
                step={0.01}
                aria-label={`Weight of prompt ${i + 1}`}
                value={weight}
                style={{ '--part': Math.min(1, weight) }}
                data-testid="mixed-weight"
                onInput={({ currentTarget }) =>
                  mixer.change(i, { weight: currentTarget.valueAsNumber }, false)
                }
              />
              <SmallButton
                title={`Fade to it in ${seconds.toFixed(1)} s`}
                testId="fade-to"
                onClick={() => mixer.fadeTo(i, studio.performer.timing)}
              >
                Fade
              </SmallButton>
              <CrossButton
                name={`Remove prompt ${i + 1}`}
                testId="remove-prompt"
                onClick={() => mixer.remove(i)}
              />
            </>
          )}
        </div>
      ))}
      {prompts.length > 1 && (
        <input
          type="range"
          class="slider"
          min={0}
          max={last}
          step={0.01}
          aria-label="Cross-fade"
          value={mixer.position.value}
          style={{ '--part': mixer.position.value / last }}
          data-testid="cross-fade"
          onInput={({ currentTarget }) => mixer.fade(currentTarget.valueAsNumber)}
        />
      )}
      {prompts.length < mostPrompts && (
        <SmallButton testId="add-prompt" onClick={() => mixer.add(unmixed?.prompt ?? '')}>
          Add a prompt
        </SmallButton>
      )}
    </>
  );
}
