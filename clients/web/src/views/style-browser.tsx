import type { Style } from '@millrace/client';
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { counted } from '../studio/counts.js';
import { plainPrompt } from '../studio/plain-prompt.js';
import { names, withMood } from '../studio/style-prompt.js';
import type { Studio } from '../studio/studio.js';
import { stylePicture } from './style-picture.js';

/** All styles and moods of the model as cards, with a search. */
export function StyleBrowser({ studio }: { readonly studio: Studio }): JSX.Element {
  const [query, setQuery] = useState('');
  const { desk, styles } = studio;
  const prompt = plainPrompt(desk.values.value.prompt);
  const known = styles.all.value;
  const { moods } = known;
  const cards = (all: readonly Style[], choose: (style: Style) => void): JSX.Element[] =>
    all
      .filter((style) => matches(style, query))
      .map((style) => (
        <StyleCard
          key={style.prompt}
          style={style}
          pressed={names(prompt, style)}
          onClick={() => choose(style)}
        />
      ));
  const found = [
    ['Styles', cards(known.styles, (style) => styles.choose(style))],
    ['Moods', cards(moods, (mood) => desk.set('prompt', withMood(prompt, mood, moods), true))],
  ] as const;
  return (
    <>
      <input
        type="search"
        class="search"
        placeholder="Search: ink, warm, pixels…"
        aria-label="Search styles and moods"
        value={query}
        data-testid="style-search"
        onInput={({ currentTarget }) => setQuery(currentTarget.value)}
      />
      {found.every(([, { length }]) => length === 0) && (
        <p class="quiet" role="status">
          {known.styles.length === 0
            ? 'This model takes any words: describe the look in the prompt.'
            : `No style or mood fits "${query}".`}
        </p>
      )}
      {found.map(
        ([title, some]) =>
          some.length > 0 && (
            <div key={title} role="group" aria-label={title}>
              <h3>{title}</h3>
              <div class="cards">{some}</div>
            </div>
          ),
      )}
    </>
  );
}

interface StyleCardProps {
  readonly style: Style;
  readonly pressed: boolean;
  readonly onClick: () => void;
}

function StyleCard({ style, pressed, onClick }: StyleCardProps): JSX.Element {
  const picture = stylePicture(style.prompt);
  return (
    <button
      type="button"
      class="style-card"
      aria-pressed={pressed}
      title={settingsInWords(style)}
      data-testid="style-card"
      onClick={onClick}
    >
      {picture !== undefined && <img src={picture} alt="" width={256} height={192} loading="lazy" />}
      <b>{style.name}</b>
      <small>{style.description ?? style.prompt}</small>
    </button>
  );
}

/** Describes what a card sets. */
function settingsInWords({ prompt, steps, strength }: Style): string {
  const parts = [`"${prompt}"`];
  if (steps !== undefined) parts.push(counted(steps, 'step'));
  if (strength !== undefined) parts.push(`strength ${strength}`);
  return parts.join(', ');
}

/** Returns whether all words are in the texts of a style. */
function matches({ name, prompt, description = '' }: Style, words: string): boolean {
  const text = `${name} ${prompt} ${description}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
