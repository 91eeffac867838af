import type { ComponentChildren, JSX } from 'preact';

interface SmallButtonProps {
  readonly testId: string;
  /** What it does, and its keyboard shortcut. */
  readonly title?: string;
  /** Whether it is on, if it can be on. */
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  readonly children: ComponentChildren;
  readonly onClick: () => void;
}

/** A button of a drawer. */
export function SmallButton(props: SmallButtonProps): JSX.Element {
  const { testId, title, pressed, disabled, children, onClick } = props;
  return (
    <button
      type="button"
      class="small-button"
      title={title}
      aria-pressed={pressed}
      disabled={disabled}
      data-testid={testId}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
