import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ModelError } from '../model-error.js';
import { readModelJson } from '../model-files.js';
import { readGraphFile } from './graph-file.js';
import {
  maxClass,
  validateConfig,
  type Colour,
  type PreprocessorConfig,
  type ResultKind,
  type ResultRange,
} from './preprocessor-config.js';
import { fixedSize, namedOutput, onlyInput, outputPort, type Graph, type NumberPort } from './ports.js';
import { normalisation, type Scaling } from './scaling.js';

/** A graph of a model folder that makes control pictures or masks, and how it takes and returns pictures. */
export interface PreprocessorLayout extends Scaling {
  /** Its name in the parameters: that of its folder. */
  readonly name: string;
  /** Its name for people. */
  readonly title: string;
  readonly graph: Graph;
  readonly input: NumberPort;
  readonly output: NumberPort;
  /** Pictures of every call, if the export fixed them. */
  readonly rows: number | null;
  /** The only size that it takes; null if it takes any whose sides are multiples of `multipleOf`. */
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly multipleOf: number;
  /** The order of the input's channels, also of their scaling. */
  readonly order: 'rgb' | 'bgr';
  readonly result: PreprocessorResult;
}

/** What a preprocessor's output means. */
export interface PreprocessorResult {
  readonly kind: ResultKind;
  readonly range: ResultRange;
  /** Whether black and white are swapped. */
  readonly invert: boolean;
  /** A colour for each class. */
  readonly palette: readonly Colour[];
  /** The first channel to draw. */
  readonly channel: number;
  /** The classes of a mask; null if its values are not those of classes. */
  readonly classes: readonly number[] | null;
}

/** The channels that an output of each kind may have; with any other number, each is a class. */
const channelsOf = { depth: [1], picture: [1, 3], classes: null, mask: null } as const;

/**
 * Reads the preprocessors of a model folder, each a folder preprocessors/NAME with model.onnx and config.json.
 * @throws {ModelError} if one of them cannot be used.
 */
export async function readPreprocessors(root: string): Promise<readonly PreprocessorLayout[]> {
  const folder = join(root, 'preprocessors');
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  // Operating systems leave files behind whose names start with a dot.
  const names = entries.filter((entry) => !entry.isFile() && !entry.name.startsWith('.'));
  const sorted = names.map(({ name }) => name).toSorted();
  return Promise.all(sorted.map(async (name) => readPreprocessor(folder, name)));
}

async function readPreprocessor(folder: string, name: string): Promise<PreprocessorLayout> {
  if (!/^[a-z0-9_-]{1,40}$/.test(name)) {
    throw new ModelError(
      join(folder, name),
      'the name of a preprocessor has 1 to 40 of the characters a-z, 0-9, _ and -; rename the folder',
    );
  }
  const path = join(folder, name, 'config.json');
  const config = await readModelJson(path, validateConfig);
  const graph = await readGraphFile(join(folder, name, 'model.onnx'));
  const input = pictureInput(graph);
  const { kind, range, invert, palette = defaultPalette, channel, classes, name: result } = config.output;
  const { multiple_of: multipleOf, layout: order } = config.input;
  if (kind === 'mask' && name === 'none') {
    throw new ModelError(join(folder, name), 'none stands for no mask; rename the folder');
  }
  const output = result === undefined ? outputPort(graph, []) : namedOutput(graph, result);
  checkOutput(graph, output, { kind, colours: palette.length });
  checkMask(path, output, config.output);
  if (range !== 'minmax' && range[0] === range[1]) {
    throw new ModelError(path, `field output.range has two equal values; give those of black and of white`);
  }
  return {
    name,
    title: config.title,
    graph,
    input,
    output,
    rows: fixedSize(input, 0),
    size: inputSize(path, graph, input, config.input.size),
    multipleOf,
    ...scaling(config.input.range),
    order,
    result: { kind, range, invert, palette, channel: channel ?? 0, classes: classes ?? null },
  };
}

/** @throws {ModelError} if the graph does not take pictures as [batch, 3, height, width] in floats. */
function pictureInput(graph: Graph): NumberPort {
  const input = onlyInput(graph);
  const channels = fixedSize(input, 1) ?? 3;
  const floats = input.type === 'float32' || input.type === 'float16';
  if (floats && input.shape.length === 4 && channels === 3) return input;
  throw new ModelError(
    graph.file,
    `"${input.name}" is ${input.type} of the shape [${input.shape.join(', ')}], where a preprocessor takes ` +
      'float32 or float16 of [batch, 3, height, width]; export it again so',
  );
}

/** Returns the only size that the graph takes, by its configuration or its export. */
function inputSize(
  path: string,
  graph: Graph,
  input: NumberPort,
  size: PreprocessorConfig['input']['size'],
): PreprocessorLayout['size'] {
  const [height, width] = [fixedSize(input, 2), fixedSize(input, 3)];
  if (size === null) {
    if (height === null && width === null) return null;
    if (height !== null && width !== null) return { height, width };
    throw new ModelError(
      path,
      `field input.size must be given: ${graph.file} takes pictures of [${input.shape.slice(2).join(', ')}]`,
    );
  }
  if ((height ?? size[0]) === size[0] && (width ?? size[1]) === size[1]) {
    return { height: size[0], width: size[1] };
  }
  throw new ModelError(
    path,
    `field input.size is [${size.join(', ')}], but ${graph.file} takes pictures of ` +
      `[${input.shape.slice(2).join(', ')}]; correct the file`,
  );
}

/** Returns how bytes become values of the input. */
function scaling(range: PreprocessorConfig['input']['range']): Scaling {
  if ('mean' in range) return normalisation(range.mean, range.std);
  const [from, to] = range;
  const scale = (to - from) / 255;
  return { scale: [scale, scale, scale], shift: [from, from, from] };
}

/** @throws {ModelError} if the graph states an output that cannot be of this kind. */
function checkOutput(
  graph: Graph,
  output: NumberPort,
  { kind, colours }: { readonly kind: ResultKind; readonly colours: number },
): void {
  const { shape, name } = output;
  const stated = `"${name}" has the shape [${shape.join(', ')}]`;
  if (shape.length !== 4 && !(shape.length === 3 && kind !== 'picture')) {
    const flat = kind === 'picture' ? '' : ' or [batch, height, width]';
    const wanted = `[batch, channels, height, width]${flat}`;
    throw new ModelError(graph.file, `${stated}, where output.kind "${kind}" requires ${wanted}`);
  }
  const channels = shape.length === 4 ? fixedSize(output, 1) : 1;
  if (channels === null) return;
  const allowed: readonly number[] | null = channelsOf[kind];
  if (allowed && !allowed.includes(channels)) {
    const wanted = `${allowed.join(' or ')} channel${allowed.length > 1 ? 's' : ''}`;
    throw new ModelError(graph.file, `${stated}, where output.kind "${kind}" requires ${wanted}`);
  }
  if (kind === 'classes' && channels > colours) {
    throw new ModelError(
      graph.file,
      `${stated}, so output.palette must have ${channels} colours, not ${colours}`,
    );
  }
}

/** @throws {ModelError} if the configuration of a mask does not say which values count, or another kind says it. */
function checkMask(
  path: string,
  output: NumberPort,
  { kind, channel, classes }: PreprocessorConfig['output'],
): void {
  const given = (['channel', 'classes'] as const).filter(
    (field) => ({ channel, classes })[field] !== undefined,
  );
  if (kind !== 'mask' && given.length > 0) {
    throw new ModelError(path, `field output.${given[0]} belongs to output.kind "mask"; leave it out`);
  }
  if (given.length > 1) {
    throw new ModelError(path, 'fields output.channel and output.classes exclude each other; leave one out');
  }
  const channels = output.shape.length === 4 ? fixedSize(output, 1) : 1;
  if (kind !== 'mask' || channels === null) return;
  // With one channel, that is the number of the class.
  const most = channels === 1 ? maxClass : channels - 1;
  const beyond =
    classes?.find((index) => index > most) ?? ((channel ?? 0) > channels - 1 ? channel : undefined);
  if (beyond !== undefined) {
    throw new ModelError(
      path,
      `field output.${given[0]} names ${beyond}, but "${output.name}" has ${channels} channels, counted from 0`,
    );
  }
  if (channels > 1 && given.length === 0) {
    throw new ModelError(
      path,
      `"${output.name}" has ${channels} channels: give output.channel, or output.classes if each is a class`,
    );
  }
}

/** The colours of PASCAL VOC: the bits of a class's number, spread over the high bits of red, green and blue. */
const defaultPalette: readonly Colour[] = Array.from({ length: 256 }, (_, index): Colour => {
  let [red, green, blue] = [0, 0, 0];
  for (let bit = 0; bit < 8; bit++) {
    const three = (index >> (3 * bit)) & 7;
    red |= (three & 1) << (7 - bit);
    green |= ((three >> 1) & 1) << (7 - bit);
    blue |= ((three >> 2) & 1) << (7 - bit);
  }
  return [red, green, blue];
});
