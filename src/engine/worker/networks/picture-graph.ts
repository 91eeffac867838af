import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { cast, node, text, transpose } from '../../../model/onnx/nodes.js';
import { sessionOptions } from '../devices/session-options.js';
import { tensorOf, type Value } from './onnx-part.js';

// What stands between the pictures of users and networks that take or give something else (other sizes, planes, scores)
// is computed by graphs too, on the CPU: in JavaScript it would take several times as long. They are graphs of their own,
// since which operators a network's file may use depends on its version.

/** Inputs or outputs by name. */
type Values = Readonly<Record<string, Value>>;

/** A graph that was made here. */
export class PictureGraph implements AsyncDisposable {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** @param threads for each run. */
  static async load(file: Uint8Array, threads: number): Promise<PictureGraph> {
    const options = sessionOptions({ provider: 'cpu', index: 0 }, { threads, cacheDirectory: null });
    return new PictureGraph(await InferenceSession.create(file, options));
  }

  /** Runs the graph, for outputs in this memory. */
  async run(inputs: Values, outputs: Values): Promise<void> {
    await this.#session.run(tensorsOf(inputs), tensorsOf(outputs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}

/** Returns a shape as the input of a graph. */
export function shapeInput(...sizes: readonly number[]): Value {
  return { data: BigInt64Array.from(sizes, BigInt), shape: [sizes.length] };
}

/** Returns a node that resizes planes [n, channels, height, width] to the shape in the input `size`. */
export function resize(from: string, to: string, mode: 'linear' | 'nearest' = 'linear'): Buffer {
  const attributes = [text('mode', mode), text('coordinate_transformation_mode', 'half_pixel')];
  // The pixel of the first picture in which the middle of one of the second lies.
  if (mode === 'nearest') attributes.push(text('nearest_mode', 'round_prefer_ceil'));
  return node('Resize', [from, '', '', 'size'], to, attributes);
}

/** Returns nodes that make planes in floats of pictures in bytes. */
export function planesOf(picture: string, planes: string): readonly Buffer[] {
  const moved = `${planes}_bytes`;
  // Bytes are moved faster than floats.
  return [transpose(picture, moved, [0, 3, 1, 2]), cast(moved, planes, 'float32')];
}

/** Returns nodes that make pictures in bytes of planes whose values are from 0 to 255; they are rounded. */
export function bytesOf(planes: string, picture: string): readonly Buffer[] {
  const [rounded, moved] = [`${planes}_rounded`, `${planes}_bytes`];
  return [
    node('Round', [planes], rounded),
    cast(rounded, moved, 'uint8'),
    transpose(moved, picture, [0, 2, 3, 1]),
  ];
}

function tensorsOf(values: Values): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, tensorOf(value)]));
}
