import { useEffect } from 'preact/hooks';
import type { Projection } from '../studio/projection.js';

/** Keys for showing the output: H hides all else, shift F takes the whole screen, B shows before and after. */
export function useProjectionKeys(projection: Projection): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && projection.bare.peek()) projection.leave();
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === 'h') projection.bare.value = !projection.bare.peek();
      if (event.key === 'F') void projection.toggleFullScreen();
      if (event.key === 'b') projection.wiped.value = !projection.wiped.peek();
    };
    // Touch screens have no keys: a tap brings the controls back.
    const onTap = ({ pointerType }: PointerEvent): void => {
      if (pointerType === 'touch' && projection.bare.peek()) projection.leave();
    };
    addEventListener('keydown', onKey);
    addEventListener('pointerup', onTap);
    return () => {
      removeEventListener('keydown', onKey);
      removeEventListener('pointerup', onTap);
    };
  }, [projection]);
}

/** Returns whether keys are text for this element. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input:not([type=range]), textarea, select');
}
