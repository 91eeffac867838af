import { useEffect } from 'preact/hooks';
import type { Projection } from '../studio/projection.js';

/** Lets Escape and a tap bring the controls back. */
export function useProjectionKeys(projection: Projection): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && projection.bare.peek()) projection.leave();
    };
    // Touch screens have no keys.
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
