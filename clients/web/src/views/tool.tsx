import type { JSX } from 'preact';
import { icons } from './icons.js';

interface ToolProps {
  readonly name: string;
  /** The keyboard shortcut. */
  readonly hint?: string;
  readonly icon: keyof typeof icons;
  readonly testId: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
}

/** A round button over the output. */
export function Tool({ name, hint, icon, testId, disabled = false, onClick }: ToolProps): JSX.Element {
  return (
    <button
      type="button"
      class="tool"
      title={hint === undefined ? name : `${name} (${hint})`}
      aria-label={name}
      disabled={disabled}
      data-testid={testId}
      onClick={onClick}
    >
      {icons[icon]}
    </button>
  );
}
