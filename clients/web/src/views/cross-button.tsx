import type { JSX } from 'preact';
import { icons } from './icons.js';

interface CrossButtonProps {
  /** What it does, such as `Close Looks`. */
  readonly name: string;
  readonly testId?: string;
  readonly onClick: () => void;
}

/** A cross that closes or removes something. */
export function CrossButton({ name, testId, onClick }: CrossButtonProps): JSX.Element {
  return (
    <button type="button" class="tool" aria-label={name} data-testid={testId} onClick={onClick}>
      {icons.close}
    </button>
  );
}
