import { understoodInWords } from '@millrace/client';
import type { Signal } from '@preact/signals';
import type { JSX, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { CharacterCount } from '../controls/character-count.js';
import type { Studio } from '../studio/studio.js';
import { plainPrompt } from '../studio/plain-prompt.js';
import { names } from '../studio/style-prompt.js';
import { textLimit } from '../studio/text-limit.js';
import { Dock, type DrawerName } from './dock.js';
import { stylePicture } from './style-picture.js';

interface ComposerProps {
  readonly studio: Studio;
  readonly prompt: RefObject<HTMLTextAreaElement>;
  readonly drawer: Signal<DrawerName | undefined>;
}

/** Time without a key press after which a typed prompt is sent. */
const typingPauseMs = 350;

/** Styles beside the prompt; the drawer has all. */
const mostChips = 12;

/** The prompt and the styles of the model. */
export function Composer({ studio, prompt, drawer }: ComposerProps): JSX.Element {
  const { desk } = studio;
  const current = plainPrompt(desk.values.value.prompt);
  const [text, setText] = useState(current);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  // What is being typed stays, whatever arrives from the server meanwhile.
  useEffect(() => void (timer.current === undefined && setText(current)), [current]);

  const stopWaiting = (): void => {
    clearTimeout(timer.current);
    timer.current = undefined;
  };
  const apply = (value: string): void => {
    stopWaiting();
    setText(value);
    if (value !== plainPrompt(desk.values.peek().prompt)) desk.set('prompt', value, true);
  };
  const problem = desk.problems.value.prompt;
  const limit = textLimit(studio.capabilities.value?.parameters.properties.prompt);
  return (
    <section class="composer" aria-label="Prompt and styles">
      <div class="prompt" data-wrong={problem !== undefined}>
        <label class="hidden" for="prompt">
          Prompt
        </label>
        <textarea
          id="prompt"
          ref={prompt}
          rows={1}
          value={text}
          placeholder="Describe a look: neon outlines at night…"
          spellcheck={false}
          autocomplete="off"
          enterkeyhint="done"
          aria-invalid={problem !== undefined}
          aria-describedby="prompt-problem prompt-count understood"
          data-testid="prompt"
          onInput={({ currentTarget: { value } }) => {
            setText(value);
            stopWaiting();
            timer.current = setTimeout(() => apply(value), typingPauseMs);
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            apply(text);
          }}
          onBlur={() => apply(text)}
        />
        <CharacterCount id="prompt-count" text={text} limit={limit} />
        <kbd title="Press / to write a prompt">/</kbd>
      </div>
      <p class="problem" id="prompt-problem" role="alert">
        {problem}
      </p>
      <div class="below">
        <p
          class="understood"
          id="understood"
          role="status"
          title="What the model made of the prompt"
          data-testid="understood"
        >
          {desk.understood.value.map(understoodInWords).join(' + ')}
        </p>
        <Dock studio={studio} open={drawer} />
      </div>
      <div class="styles" role="group" aria-label="Styles">
        {studio.capabilities.value?.styles.slice(0, mostChips).map((style) => (
          <button
            type="button"
            key={style.name}
            class="chip"
            aria-pressed={names(text, style)}
            title={style.prompt}
            data-testid="style"
            onClick={() => {
              stopWaiting();
              studio.styles.choose(style);
            }}
          >
            <StylePicture prompt={style.prompt} />
            {style.name}
          </button>
        ))}
      </div>
    </section>
  );
}

function StylePicture({ prompt }: { readonly prompt: string }): JSX.Element | undefined {
  const picture = stylePicture(prompt);
  return picture === undefined ? undefined : <img src={picture} alt="" width={36} height={36} />;
}
