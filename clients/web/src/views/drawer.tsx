import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { CrossButton } from './cross-button.js';

interface DrawerProps {
  readonly title: string;
  readonly testId: string;
  readonly children: ComponentChildren;
  readonly onClose: () => void;
}

/**
 * A panel over the input, so that the output stays in view while its controls are used. It takes the focus when it
 * opens and gives it back when it closes.
 */
export function Drawer({ title, testId, children, onClose }: DrawerProps): JSX.Element {
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    section.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <section
      class="drawer"
      ref={section}
      tabIndex={-1}
      aria-label={title}
      data-testid={testId}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <header>
        <h2>{title}</h2>
        <CrossButton name={`Close ${title}`} onClick={onClose} />
      </header>
      {children}
    </section>
  );
}
