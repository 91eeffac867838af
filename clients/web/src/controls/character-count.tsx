import type { JSX } from 'preact';
import { inFigures } from '../studio/text-limit.js';

interface CharacterCountProps {
  readonly id: string;
  readonly text: string;
  readonly limit: number | undefined;
}

/** Part of the limit from which the count is shown. */
const shownFrom = 0.9;

/** Shows the length of a text and its limit; nothing while it is well below the limit. */
export function CharacterCount({ id, text, limit }: CharacterCountProps): JSX.Element | null {
  if (limit === undefined || text.length < shownFrom * limit) return null;
  return (
    <span class="count" id={id} data-over={text.length > limit} data-testid={id}>
      {inFigures(text.length)} / {inFigures(limit)}
    </span>
  );
}
