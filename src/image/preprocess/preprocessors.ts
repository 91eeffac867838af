import type { Allocate, Image } from '../image.js';
import { canny } from './canny.js';
import { softEdge } from './soft-edge.js';

/** Makes a control picture from a frame. */
export interface Preprocessor {
  /** Its name for people. */
  readonly title: string;
  /** Returns a picture of the same size, in other memory; null if the frame alone is not enough for it. */
  readonly prepare: ((image: Image, allocate: Allocate) => Image) | null;
}

/** The preprocessors that need no network, by the name in the parameters. */
export const preprocessors = {
  canny: { title: 'Lines (Canny)', prepare: canny },
  soft_edge: { title: 'Soft edges (Sobel)', prepare: softEdge },
  passthrough: { title: 'The picture itself', prepare: copy },
  feedback: { title: 'The last result', prepare: null },
} as const satisfies Readonly<Record<string, Preprocessor>>;

export type PreprocessorName = keyof typeof preprocessors;

export const preprocessorNames = Object.keys(preprocessors) as readonly PreprocessorName[];

/** Returns whether a preprocessor of this name needs no network. */
export function isPreprocessorName(name: string): name is PreprocessorName {
  return Object.hasOwn(preprocessors, name);
}

/**
 * Makes the control picture of a frame, without changing it.
 * @param allocate allocates the memory for the pixels; new memory by default.
 * @returns null for `feedback`: the engine has the last result.
 */
export function preprocess(
  name: PreprocessorName,
  image: Image,
  allocate: Allocate = newMemory,
): Image | null {
  return preprocessors[name].prepare?.(image, allocate) ?? null;
}

/** The copy is needed because each picture of a frame is handed to the engine with its memory. */
function copy({ width, height, data }: Image, allocate: Allocate): Image {
  const pixels = data.subarray(0, width * height * 3);
  const own = allocate(pixels.length);
  own.set(pixels);
  return { width, height, data: own };
}

function newMemory(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
