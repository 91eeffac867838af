import { readSync } from 'node:fs';
import { cast, constant, constants, hardSigmoid, integer, node, transpose, valueInfo } from './nodes.js';
import { readProtobuf, type ProtobufCursor } from './protobuf.js';
import { field, fieldHead } from './protobuf-writer.js';
import { readSignature, type Port } from './signature.js';

// JavaScript would convert pixels, latents and half precision slowly, on the thread that should start the next call. Here
// the conversions become nodes of the graph, at its inputs and outputs; all weights stay as they are.

/** The values of a picture that are black and white. */
export interface Levels {
  readonly black: number;
  readonly white: number;
}

/** Factors and summands by channel: what a port takes or gives becomes scale * value + shift. */
export interface ChannelScaling {
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

/** What is done to the values of ports, by their names. */
export type Conversions = ReadonlyMap<string, Levels | ChannelScaling>;

/** A graph with other inputs and outputs than its file has. */
export interface Bordered {
  readonly bytes: Uint8Array;
  /** What its inputs and outputs are called now, by their names in the file. */
  readonly names: ReadonlyMap<string, string>;
}

/** The new border of a port, and the nodes between both. */
interface Border {
  readonly name: string;
  readonly ports: readonly Buffer[];
  readonly nodes: readonly Buffer[];
}

/** A part of the new file: new bytes, or those of the old file from here to there. */
type Piece = Buffer | { readonly from: number; readonly to: number };

/** Returns what a port of pictures in planes is called when it is in bytes. */
export function inBytes(port: string): string {
  return `${port}_bytes`;
}

/** Returns the name of the output with the means of each channel of the pictures that a port gives in bytes. */
export function meanOf(port: string): string {
  return `${port}_mean`;
}

/**
 * Returns the graph of a file with float32 in place of float16 at its inputs and outputs, and pictures as bytes
 * [n, height, width, 3] at the ports that take or give them as [n, 3, height, width]. A port that gives pictures gets
 * another output beside it, with their means by channel [n, 3, 1, 1]: bytes would not show values that are not finite.
 * Scaled ports have as many channels as there are factors: of an output that has more, the first ones.
 * @param conversions the levels of the ports that take or give pictures, and the scaling of others.
 * @returns null if nothing is to be changed.
 */
export function withBorders(file: string, conversions: Conversions): Bordered | null {
  const { inputs, outputs } = readSignature(file);
  const before = bordersOf(inputs, conversions, {
    picture: pictureInput,
    scaled: scaledInput,
    half: halfInput,
  });
  const after = bordersOf(outputs, conversions, {
    picture: pictureOutput,
    scaled: scaledOutput,
    half: halfOutput,
  });
  if (before.size + after.size === 0) return null;
  const names = new Map([...before, ...after].map(([port, { name }]) => [port, name]));
  return readProtobuf(file, (cursor, descriptor) => ({
    bytes: joined(modelPieces(cursor, before, after), descriptor),
    names,
  }));
}

function bordersOf(
  ports: readonly Port[],
  conversions: Conversions,
  make: {
    readonly picture: (port: Port, levels: Levels) => Border;
    readonly scaled: (port: Port, scaling: ChannelScaling) => Border;
    readonly half: (port: Port) => Border;
  },
): ReadonlyMap<string, Border> {
  const borders = new Map<string, Border>();
  for (const port of ports) {
    const conversion = conversions.get(port.name);
    if (conversion)
      borders.set(
        port.name,
        'scale' in conversion ? make.scaled(port, conversion) : make.picture(port, conversion),
      );
    else if (port.type === 'float16') borders.set(port.name, make.half(port));
  }
  return borders;
}

function pictureInput(port: Port, { black, white }: Levels): Border {
  const inner = (what: string): string => `${port.name}_${what}`;
  const name = inBytes(port.name);
  const isHalf = port.type === 'float16';
  const values = isHalf ? inner('float32') : port.name;
  return {
    name,
    ports: [valueInfo(11, name, 'uint8', channelsLast(port.shape))],
    nodes: [
      // Bytes are moved faster than floats.
      transpose(name, inner('planes'), [0, 3, 1, 2]),
      cast(inner('planes'), inner('levels'), 'float32'),
      constant(inner('divisor'), 255 / (white - black)),
      constant(inner('black'), black),
      node('Div', [inner('levels'), inner('divisor')], inner('divided')),
      node('Add', [inner('divided'), inner('black')], values),
      ...(isHalf ? [cast(values, port.name, 'float16')] : []),
    ],
  };
}

function pictureOutput(port: Port, { black, white }: Levels): Border {
  const inner = (what: string): string => `${port.name}_${what}`;
  const name = inBytes(port.name);
  const mean = meanOf(name);
  const isHalf = port.type === 'float16';
  const values = isHalf ? inner('float32') : port.name;
  const [pictures = '', channels = ''] = port.shape;
  return {
    name,
    ports: [
      valueInfo(12, name, 'uint8', channelsLast(port.shape)),
      valueInfo(12, mean, 'float32', port.shape.length === 0 ? [] : [pictures, channels, 1, 1]),
    ],
    nodes: [
      ...(isHalf ? [cast(port.name, values, 'float32')] : []),
      node('GlobalAveragePool', [values], mean),
      hardSigmoid(values, inner('shares'), 1 / (white - black), -black / (white - black)),
      constant(inner('most'), 255),
      constant(inner('rounding'), 0.5),
      node('Mul', [inner('shares'), inner('most')], inner('levels')),
      node('Add', [inner('levels'), inner('rounding')], inner('rounded')),
      // Cuts off the fraction.
      cast(inner('rounded'), inner('planes'), 'uint8'),
      transpose(inner('planes'), name, [0, 2, 3, 1]),
    ],
  };
}

/** Names what is between a port and its scaled form: files in 8 bits have names such as `sample_scale` already. */
function borderName(port: string): (what: string) => string {
  return (what) => `${port}_border_${what}`;
}

function scaledInput({ name: port, type, shape }: Port, scaling: ChannelScaling): Border {
  const inner = borderName(port);
  const name = inner('unscaled');
  const isHalf = type === 'float16';
  const values = isHalf ? inner('float32') : port;
  return {
    name,
    ports: [valueInfo(11, name, 'float32', shape)],
    nodes: [
      ...scalingNodes(name, values, scaling, inner),
      ...(isHalf ? [cast(values, port, 'float16')] : []),
    ],
  };
}

function scaledOutput({ name: port, shape }: Port, scaling: ChannelScaling): Border {
  const inner = borderName(port);
  const name = inner('scaled');
  const channels = scaling.scale.length;
  const [pictures = '', , height = '', width = ''] = shape;
  const places = Array.from({ length: channels }, (_, channel) => channel);
  return {
    name,
    ports: [valueInfo(12, name, 'float32', shape.length === 0 ? [] : [pictures, channels, height, width])],
    nodes: [
      constants(inner('places'), 'int64', places),
      node('Gather', [port, inner('places')], inner('channels'), [integer('axis', 1)]),
      cast(inner('channels'), inner('float32'), 'float32'),
      ...scalingNodes(inner('float32'), name, scaling, inner),
    ],
  };
}

function scalingNodes(
  from: string,
  to: string,
  { scale, shift }: ChannelScaling,
  inner: (what: string) => string,
): readonly Buffer[] {
  const byChannel = [scale.length, 1, 1];
  return [
    constants(inner('scale'), 'float32', scale, byChannel),
    constants(inner('shift'), 'float32', shift, byChannel),
    node('Mul', [from, inner('scale')], inner('multiplied')),
    node('Add', [inner('multiplied'), inner('shift')], to),
  ];
}

function halfInput({ name: port, shape }: Port): Border {
  const name = `${port}_float32`;
  return { name, ports: [valueInfo(11, name, 'float32', shape)], nodes: [cast(name, port, 'float16')] };
}

function halfOutput({ name: port, shape }: Port): Border {
  const name = `${port}_float32`;
  return { name, ports: [valueInfo(12, name, 'float32', shape)], nodes: [cast(port, name, 'float32')] };
}

function channelsLast(shape: Port['shape']): Port['shape'] {
  const [pictures = '', channels = '', height = '', width = ''] = shape;
  return shape.length === 0 ? [] : [pictures, height, width, channels];
}

type Borders = ReadonlyMap<string, Border>;

/**
 * ModelProto: all as it is, but the graph. The nodes of the outputs are a further part of the graph at the end: parts are
 * merged, and lists in them joined.
 */
function modelPieces(cursor: ProtobufCursor, before: Borders, after: Borders): readonly Piece[] {
  const pieces: Piece[] = [];
  let isFirst = true;
  let start = 0;
  for (const { number, end } of cursor.fields(cursor.size)) {
    if (number === 7 && isFirst) {
      const graph = graphPieces(cursor, end, before, after);
      pieces.push(fieldHead(7, lengthOf(graph)), ...graph);
      isFirst = false;
    } else pieces.push({ from: start, to: end });
    start = end;
  }
  return [...pieces, field(7, nodesOf(after))];
}

/** GraphProto: the nodes of the inputs come first, and ports are replaced. */
function graphPieces(cursor: ProtobufCursor, end: number, before: Borders, after: Borders): readonly Piece[] {
  const pieces: Piece[] = [...nodesOf(before)];
  let start = cursor.position;
  for (const { number, end: stop } of cursor.fields(end)) {
    const borders = { 11: before, 12: after }[number];
    const border = borders?.get(portName(cursor, stop));
    if (border) pieces.push(...border.ports);
    else pieces.push({ from: start, to: stop });
    start = stop;
  }
  return pieces;
}

function nodesOf(borders: Borders): readonly Buffer[] {
  return [...borders.values()].flatMap(({ nodes }) => nodes);
}

/** ValueInfoProto */
function portName(cursor: ProtobufCursor, end: number): string {
  for (const part of cursor.fields(end)) if (part.number === 1) return cursor.text(part);
  return '';
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + ('from' in piece ? piece.to - piece.from : piece.length), 0);
}

/** Joins pieces without another copy of the weights. */
function joined(pieces: readonly Piece[], descriptor: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    if (!('from' in piece)) {
      at += piece.copy(bytes, at);
      continue;
    }
    for (let { from } = piece; from < piece.to;) {
      const count = readSync(descriptor, bytes, at, Math.min(piece.to - from, largestRead), from);
      if (count === 0) throw new RangeError('the file ends within a message');
      from += count;
      at += count;
    }
  }
  return bytes;
}

/** Bytes of one read: systems limit it to 2 GiB. */
const largestRead = 2 ** 30;
