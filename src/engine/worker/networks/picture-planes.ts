import type { Image } from '../../../image/image.js';
import type { Scaling } from '../../../model/layout/scaling.js';
import { constants, graphFile, integer, node, valueInfo } from '../../../model/onnx/nodes.js';
import { PictureGraph, planesOf, resize, shapeInput } from './picture-graph.js';
import type { Size } from './sizes.js';

/** Order of the channels of a network's input. */
type Order = 'rgb' | 'bgr';

/** Resizes pictures to what a network takes, and makes planes in its range of them. */
export class PicturePlanes implements AsyncDisposable {
  readonly #graph: PictureGraph;

  private constructor(graph: PictureGraph) {
    this.#graph = graph;
  }

  /** @param threads for each picture. */
  static async load(scaling: Scaling, order: Order, threads: number): Promise<PicturePlanes> {
    return new PicturePlanes(await PictureGraph.load(planesGraph(scaling, order), threads));
  }

  /** Writes a picture as planes [3, height, width] of this size; it is resized bilinearly between centres of pixels. */
  async write({ data, width, height }: Image, size: Size, out: Float32Array): Promise<void> {
    const shape = [1, 3, size.height, size.width];
    await this.#graph.run(
      {
        picture: { data: data.subarray(0, 3 * width * height), shape: [1, height, width, 3] },
        size: shapeInput(...shape),
      },
      { values: { data: out, shape } },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#graph[Symbol.asyncDispose]();
  }
}

function planesGraph({ scale, shift }: Scaling, order: Order): Uint8Array {
  return graphFile([
    valueInfo(11, 'picture', 'uint8', [1, 'height', 'width', 3]),
    valueInfo(11, 'size', 'int64', [4]),
    valueInfo(12, 'values', 'float32', [1, 3, 'rows', 'columns']),
    ...planesOf('picture', 'planes'),
    resize('planes', 'resized'),
    constants('order', 'int64', order === 'rgb' ? [0, 1, 2] : [2, 1, 0]),
    node('Gather', ['resized', 'order'], 'ordered', [integer('axis', 1)]),
    constants('scale', 'float32', scale, [3, 1, 1]),
    constants('shift', 'float32', shift, [3, 1, 1]),
    node('Mul', ['ordered', 'scale'], 'scaled'),
    node('Add', ['scaled', 'shift'], 'values'),
  ]);
}
