import type { Image } from '../../../image/image.js';
import {
  cast,
  constants,
  graphFile,
  integer,
  node,
  transpose,
  valueInfo,
} from '../../../model/onnx/nodes.js';
import { bytesOf, PictureGraph, resize, shapeInput } from './picture-graph.js';
import { cropPicture, fillPicture } from './pixels.js';

/** Cells along the longer side: what is left of a picture. */
const cells = 12;

/** Blurs pictures until only their colours can be recognised: those of some cells, and between them. */
export class Blur implements AsyncDisposable {
  readonly #graph: PictureGraph;

  private constructor(graph: PictureGraph) {
    this.#graph = graph;
  }

  /** @param threads for each picture. */
  static async load(threads: number): Promise<Blur> {
    return new Blur(await PictureGraph.load(blurGraph(), threads));
  }

  /** Blurs a picture in its memory. */
  async apply(image: Image): Promise<void> {
    const side = Math.max(1, Math.ceil(Math.max(image.width, image.height) / cells));
    const [columns, rows] = [Math.ceil(image.width / side), Math.ceil(image.height / side)];
    // Whole cells.
    const filled = { width: columns * side, height: rows * side };
    const data = new Uint8Array(3 * filled.width * filled.height);
    const blurred = new Uint8Array(data.length);
    fillPicture(image.data, image, filled, data);
    await this.#graph.run(
      {
        pixels: { data, shape: [rows, side, columns, side, 3] },
        size: shapeInput(1, 3, filled.height, filled.width),
      },
      { picture: { data: blurred, shape: [1, filled.height, filled.width, 3] } },
    );
    cropPicture(blurred, filled, image, image.data);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#graph[Symbol.asyncDispose]();
  }
}

function blurGraph(): Uint8Array {
  return graphFile([
    valueInfo(11, 'pixels', 'uint8', ['rows', 'side', 'columns', 'side', 3]),
    valueInfo(11, 'size', 'int64', [4]),
    valueInfo(12, 'picture', 'uint8', [1, 'height', 'width', 3]),
    cast('pixels', 'floats', 'float32'),
    constants('within', 'int64', [1, 3]),
    node('ReduceMean', ['floats', 'within'], 'cells', [integer('keepdims', 0)]),
    transpose('cells', 'channels', [2, 0, 1]),
    constants('first', 'int64', [0]),
    node('Unsqueeze', ['channels', 'first'], 'planes'),
    resize('planes', 'resized'),
    ...bytesOf('resized', 'picture'),
  ]);
}
