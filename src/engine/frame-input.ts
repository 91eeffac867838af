import type { Image } from '../image/image.js';
import type { Mask } from '../image/mask.js';

/** All that comes with a frame: pictures of the stream's size, and what they have cost. */
export interface FrameInput {
  /** The picture to change; null starts from noise alone (txt2img). */
  readonly image: Image | null;
  /** How much of each pixel may change; absent: as the parameters say. It is written to. */
  readonly mask?: Mask;
  /** Pictures of controls that are on, by the control's name; a network of the model may make those that are missing. */
  readonly controls?: Readonly<Record<string, Image>>;
  /** The names of those controls whose pictures came with the frame; the others were made from it. Absent: none. */
  readonly sent?: readonly string[];
  /** CPU milliseconds that decoding took; charged to the stream's share if the device is the CPU. Absent, it is 0. */
  readonly decodeMs?: number;
}

/** Returns the memory of all pictures of an input, each once: it travels with the frame, and is sent back for reuse. */
export function memoryOf(input: FrameInput): readonly ArrayBuffer[] {
  return [...new Set(memoryIn(input))];
}

/** Returns the memory of pictures at any depth. */
function memoryIn(part: unknown): readonly ArrayBuffer[] {
  if (part instanceof Uint8Array) return [part.buffer as ArrayBuffer];
  if (typeof part !== 'object' || part === null) return [];
  const parts: readonly unknown[] = Object.values(part);
  return parts.flatMap(memoryIn);
}

/** Returns the pixels of all pictures that came with a frame, the one to change first; null if it starts from noise. */
export function sentPixels({
  image,
  mask,
  controls = {},
  sent = [],
}: FrameInput): readonly Uint8Array[] | null {
  if (image === null) return null;
  const others = [mask, ...sent.map((name) => controls[name])];
  return [image, ...others].flatMap((picture) => picture?.data ?? []);
}
