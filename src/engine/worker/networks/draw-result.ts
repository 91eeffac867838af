import type { Image } from '../../../image/image.js';
import type { PreprocessorResult } from '../../../model/layout/preprocessor.js';
import {
  cast,
  constant,
  constants,
  graphFile,
  integer,
  node,
  valueInfo,
  type ElementType,
} from '../../../model/onnx/nodes.js';
import type { Numbers } from './onnx-part.js';
import { bytesOf, PictureGraph, resize, shapeInput } from './picture-graph.js';
import type { Size } from './sizes.js';

/** What a preprocessor computed for a picture: [channels, height, width]. */
interface Output extends Size {
  readonly values: Numbers;
}

/** Draws what a preprocessor computed as a picture. */
export class ResultDrawing implements AsyncDisposable {
  readonly channels: number;
  readonly #graph: PictureGraph;
  /** Channels that are resized. */
  readonly #drawn: number;

  private constructor(channels: number, drawn: number, graph: PictureGraph) {
    this.channels = channels;
    this.#drawn = drawn;
    this.#graph = graph;
  }

  /**
   * @param type of the values. @param channels of the output of the preprocessor.
   * @param threads for each picture.
   */
  static async load(
    result: PreprocessorResult,
    { type, channels }: { readonly type: ElementType; readonly channels: number },
    threads: number,
  ): Promise<ResultDrawing> {
    // Anything but a picture in colour is one channel: a level, or a class.
    const drawn = result.kind === 'picture' && channels >= 3 ? 3 : 1;
    const file = graphFile([
      valueInfo(11, 'values', type, [1, channels, 'height', 'width']),
      valueInfo(11, 'size', 'int64', [4]),
      valueInfo(12, 'picture', 'uint8', [1, 'rows', 'columns', 3]),
      valueInfo(12, 'means', 'float32', [1, channels, 1, 1]),
      cast('values', 'floats', 'float32'),
      // A picture in bytes would not show values that are not finite.
      node('GlobalAveragePool', ['floats'], 'means'),
      ...drawingNodes(result, channels, drawn),
    ]);
    return new ResultDrawing(channels, drawn, await PictureGraph.load(file, threads));
  }

  /** Returns the picture in this size and in new memory; null if a value is NaN or infinite. */
  async draw({ values, width, height }: Output, to: Size): Promise<Image | null> {
    const data = new Uint8Array(3 * to.width * to.height);
    const means = new Float32Array(this.channels);
    await this.#graph.run(
      {
        values: { data: values, shape: [1, this.channels, height, width] },
        size: shapeInput(1, this.#drawn, to.height, to.width),
      },
      {
        picture: { data, shape: [1, to.height, to.width, 3] },
        means: { data: means, shape: [1, this.channels, 1, 1] },
      },
    );
    return means.every(Number.isFinite) ? { width: to.width, height: to.height, data } : null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#graph[Symbol.asyncDispose]();
  }
}

/** Returns nodes that make `picture` of `floats`. */
function drawingNodes(result: PreprocessorResult, channels: number, drawn: number): readonly Buffer[] {
  const { kind, classes, channel } = result;
  if (kind === 'classes') return classNodes(result, channels);
  if (classes) {
    return [...memberNodes(classes, channels), ...levelNodes('members', { ...result, range: [0, 1] })];
  }
  return [...chosenNodes(channel, drawn), ...levelNodes('chosen', result)];
}

/** Returns nodes that take the channels to draw. */
function chosenNodes(first: number, drawn: number): readonly Buffer[] {
  const places = Array.from({ length: drawn }, (_, i) => first + i);
  return [
    constants('places', 'int64', places),
    node('Gather', ['floats', 'places'], 'chosen', [integer('axis', 1)]),
  ];
}

/** Returns nodes that draw one channel in grey, or three as red, green and blue. */
function levelNodes(from: string, { range, invert }: PreprocessorResult): readonly Buffer[] {
  const ends =
    range === 'minmax'
      ? [
          node('ReduceMin', [from], 'black', [integer('keepdims', 0)]),
          node('ReduceMax', [from], 'white', [integer('keepdims', 0)]),
        ]
      : [constant('black', range[0]), constant('white', range[1])];
  return [
    ...ends,
    constant('zero', 0),
    constant('most', 255),
    node('Sub', ['white', 'black'], 'difference'),
    // A result that is the same everywhere is black: 0 / 1.
    node('Equal', ['difference', 'zero'], 'is_flat'),
    cast('is_flat', 'flat', 'float32'),
    node('Add', ['difference', 'flat'], 'span'),
    resize(from, 'resized'),
    node('Sub', ['resized', 'black'], 'above'),
    node('Div', ['above', 'span'], 'shares'),
    node('Mul', ['shares', 'most'], 'upright'),
    invert ? node('Sub', ['most', 'upright'], 'levels') : node('Identity', ['upright'], 'levels'),
    node('Clip', ['levels', 'zero', 'most'], 'clamped'),
    constants('colours', 'int64', [1, 3, 1, 1]),
    node('Expand', ['clamped', 'colours'], 'coloured'),
    ...bytesOf('coloured', 'picture'),
  ];
}

/** Returns nodes for the class of each pixel: its only value, or the channel with the greatest score. */
function numberNodes(channels: number): readonly Buffer[] {
  if (channels > 1) return [node('ArgMax', ['floats'], 'numbers', [integer('axis', 1)])];
  return [
    node('Round', ['floats'], 'whole'),
    node('Relu', ['whole'], 'counted'),
    cast('counted', 'numbers', 'int64'),
  ];
}

/** Returns nodes for 1 where a pixel is of one of the classes, elsewhere 0. */
function memberNodes(classes: readonly number[], channels: number): readonly Buffer[] {
  return [
    ...numberNodes(channels),
    constants('classes', 'int64', classes, [classes.length, 1, 1, 1]),
    node('Equal', ['numbers', 'classes'], 'is_of'),
    cast('is_of', 'of', 'float32'),
    constants('first_axis', 'int64', [0]),
    node('ReduceMax', ['of', 'first_axis'], 'members'),
  ];
}

/** Returns nodes that draw the colour of each pixel's class: between those of two classes is that of another one. */
function classNodes({ palette }: PreprocessorResult, channels: number): readonly Buffer[] {
  return [
    ...numberNodes(channels),
    constants('count', 'int64', [palette.length]),
    node('Mod', ['numbers', 'count'], 'entries'),
    cast('entries', 'floating', 'float32'),
    resize('floating', 'nearest', 'nearest'),
    cast('nearest', 'indices', 'int64'),
    constants('first_axes', 'int64', [0, 1]),
    node('Squeeze', ['indices', 'first_axes'], 'places'),
    constants('palette', 'uint8', palette.flat(), [palette.length, 3]),
    node('Gather', ['palette', 'places'], 'colours'),
    constants('first', 'int64', [0]),
    node('Unsqueeze', ['colours', 'first'], 'picture'),
  ];
}
