import type { JSX } from 'preact';
import { inFigures } from '../studio/text-limit.js';

interface CharacterCountProps {
  readonly id: string;
  readonly text: string;
  readonly limit: number | undefined;
}

/** Part of the limit from which on it is worth a look. */
const near = 0.9;

/** How long a text is and may be; nothing while there is room. */
export function CharacterCount({ id, text, limit }: CharacterCountProps): JSX.Element | null {
  if (limit === undefined || text.length < near * limit) return null;
  return (
    <span class="count" id={id} data-over={text.length > limit} data-testid={id}>
      {inFigures(text.length)} / {inFigures(limit)}
    </span>
  );
}
