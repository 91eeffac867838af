import { asError } from '../../engine/as-error.js';
import { deferred } from '../../engine/deferred.js';
import type { InputFrame } from './input.js';

/**
 * Yields the newest frame each time, while the source goes on in its own time.
 * @param onDrop called for each frame that a newer one replaced before anybody took it.
 */
export async function* newestOf(
  frames: AsyncIterable<InputFrame>,
  onDrop: () => void,
): AsyncGenerator<InputFrame, void, void> {
  const state: { held: InputFrame | null; end: { readonly error: Error | null } | null; isOver: boolean } = {
    held: null,
    end: null,
    isOver: false,
  };
  let change = deferred<void>();
  const read = async (): Promise<void> => {
    for await (const frame of frames) {
      if (state.isOver) return;
      if (state.held) onDrop();
      // The source uses its memory again.
      state.held = { ...frame, image: { ...frame.image, data: frame.image.data.slice() } };
      change.resolve();
    }
  };
  void read()
    .then(
      () => (state.end = { error: null }),
      (error: unknown) => (state.end = { error: asError(error) }),
    )
    .then(() => change.resolve());
  try {
    for (;;) {
      const { held, end } = state;
      state.held = null;
      if (held) yield held;
      else if (end?.error) throw end.error;
      else if (end) return;
      else {
        await change.promise;
        change = deferred<void>();
      }
    }
  } finally {
    state.isOver = true;
  }
}
