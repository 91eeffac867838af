import type { Image } from '../image/image.js';

/** All that comes with a frame: pictures of the stream's size, and what they have cost. */
export interface FrameInput {
  /** The picture to change; null starts from noise alone (txt2img). */
  readonly image: Image | null;
  /** The control images, by the name of the control. */
  readonly controls?: Readonly<Record<string, Image>>;
  /** CPU milliseconds that decoding took; charged to the stream's share if the device is the CPU. Absent, it is 0. */
  readonly decodeMs?: number;
}

/** Returns the memory of all pictures of an input: it travels with the frame, and is sent back for reuse. */
export function memoryOf(input: FrameInput): readonly ArrayBuffer[] {
  const { controls = {}, ...others } = input;
  const parts: readonly (Image | number | null)[] = [...Object.values(others), ...Object.values(controls)];
  return parts.flatMap((part) => (typeof part === 'object' && part ? [part.data.buffer] : []));
}
