import { memoryOf, type FrameInput } from '../../frame-input.js';
import type { FromWorker } from '../../messages.js';

/** Posts a message to the main thread, and transfers the memory in `transfer` to it. */
export type Post = (message: FromWorker, transfer?: readonly ArrayBuffer[]) => void;

/** Sends the memory of a frame's pictures back to the main thread. */
export function recycle(input: FrameInput, post: Post): void {
  for (const pixels of memoryOf(input)) post({ type: 'recycle', pixels }, [pixels]);
}
