import { useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Studio } from '../studio/studio.js';
import { icons } from './icons.js';

/** Ways to show the output: on the whole screen, on other screens, over the input. */
export function ProjectionMenu({ studio }: { readonly studio: Studio }): JSX.Element {
  const { projection } = studio;
  const open = useSignal(false);
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const onPointer = ({ target }: PointerEvent): void => {
      if (!(target instanceof Node) || menu.current?.contains(target) !== true) open.value = false;
    };
    addEventListener('pointerdown', onPointer);
    return () => removeEventListener('pointerdown', onPointer);
  }, [open]);
  const act = (action: () => void): void => {
    open.value = false;
    action();
  };
  return (
    <div
      class="menu"
      ref={menu}
      onKeyDown={({ key }) => {
        if (key !== 'Escape' || !open.peek()) return;
        open.value = false;
        menu.current?.querySelector('button')?.focus();
      }}
    >
      <button
        type="button"
        class="tool"
        title="Show it elsewhere"
        aria-label="Show it elsewhere"
        aria-expanded={open.value}
        data-testid="projection"
        onClick={() => (open.value = !open.peek())}
      >
        {icons.project}
      </button>
      {open.value && (
        <div class="choices" role="group" aria-label="Show it elsewhere">
          <Choice
            hint="Shift F"
            testId="full-screen"
            onClick={() => act(() => void projection.toggleFullScreen())}
          >
            Full screen, nothing on it
          </Choice>
          <Choice hint="H" testId="bare" onClick={() => act(() => (projection.bare.value = true))}>
            Hide everything else
          </Choice>
          {projection.canCapture.value && (
            <Choice testId="second-window" onClick={() => act(() => studio.openWindow())}>
              Second window
            </Choice>
          )}
          {projection.canFloat.value && (
            <Choice testId="float" onClick={() => act(() => void float(studio))}>
              Picture in picture
            </Choice>
          )}
          <Choice
            hint="B"
            testId="wipe"
            pressed={projection.wiped.value}
            onClick={() => act(() => (projection.wiped.value = !projection.wiped.peek()))}
          >
            Before and after
          </Choice>
          <Choice
            testId="mirror"
            pressed={studio.mirror.value}
            onClick={() => act(() => studio.turnMirror())}
          >
            Mirror
          </Choice>
          <Choice
            testId="filled"
            pressed={projection.filled.value}
            onClick={() => act(() => (projection.filled.value = !projection.filled.peek()))}
          >
            Fill the screen, cropped
          </Choice>
        </div>
      )}
    </div>
  );
}

async function float({ projection, announce }: Studio): Promise<void> {
  if (!(await projection.toggleFloat())) announce('The browser did not show the picture in a picture.');
}

interface ChoiceProps {
  /** The keyboard shortcut. */
  readonly hint?: string;
  readonly testId: string;
  /** Whether it is on, if it can be on. */
  readonly pressed?: boolean;
  readonly children: ComponentChildren;
  readonly onClick: () => void;
}

function Choice({ hint, testId, pressed, children, onClick }: ChoiceProps): JSX.Element {
  return (
    <button type="button" aria-pressed={pressed} data-testid={testId} onClick={onClick}>
      <span>{children}</span>
      {hint !== undefined && <kbd aria-hidden="true">{hint}</kbd>}
    </button>
  );
}
