import { ModelError } from '../model-error.js';
import { readProtobuf, type ProtobufCursor } from './protobuf.js';

/** One input or output of a network as its file declares it. */
export interface Port {
  readonly name: string;
  /** float32, float16, int64, ...; `other` for unsupported ones. */
  readonly type: string;
  /** Numbers are fixed sizes, strings are names of free ones. */
  readonly shape: readonly (number | string)[];
}

/** The description of a graph in an ONNX file, without its weights. */
export interface Signature {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Files with weights, relative to the folder of this one. */
  readonly weightFiles: readonly string[];
  /** Minimum size of each of them in bytes. */
  readonly weightBytes: Readonly<Record<string, number>>;
  /** Type of most of the weights' tensors. */
  readonly weightType: string;
}

/** Names of TensorProto.DataType. */
const types: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
  21: 'uint4',
  22: 'int4',
};

/**
 * Reads the inputs and outputs of an ONNX graph (onnx.proto, ModelProto), in milliseconds whatever its size.
 * @throws {ModelError} if the file is not an ONNX graph or is cut off.
 */
export function readSignature(path: string): Signature {
  return readProtobuf(path, (cursor) => {
    try {
      return readModel(cursor, path);
    } catch (cause) {
      if (cause instanceof ModelError) throw cause;
      const problem = 'not an ONNX graph, or only a part of one; download the model again';
      throw new ModelError(path, problem, { cause });
    }
  });
}

function readModel(cursor: ProtobufCursor, path: string): Signature {
  for (const { number, end } of cursor.fields(cursor.size)) if (number === 7) return readGraph(cursor, end);
  throw new ModelError(path, 'holds no ONNX graph; download the model again');
}

function readGraph(cursor: ProtobufCursor, end: number): Signature {
  const inputs: Port[] = [];
  const outputs: Port[] = [];
  const weights: Weight[] = [];
  for (const field of cursor.fields(end)) {
    if (field.number === 5) weights.push(readWeight(cursor, field.end));
    if (field.number === 11) inputs.push(readPort(cursor, field.end));
    if (field.number === 12) outputs.push(readPort(cursor, field.end));
  }
  // Old files list their weights among the inputs.
  const own = new Set(weights.map(({ name }) => name));
  const weightBytes: Record<string, number> = {};
  for (const { place } of weights) {
    if (place) weightBytes[place.file] = Math.max(weightBytes[place.file] ?? 0, place.end);
  }
  return {
    inputs: inputs.filter(({ name }) => !own.has(name)),
    outputs,
    weightFiles: Object.keys(weightBytes),
    weightBytes,
    weightType: mostOf(weights.filter(({ matrix }) => matrix).map(({ type }) => type)) ?? 'float32',
  };
}

interface Weight {
  readonly name: string;
  readonly type: string;
  /** Whether it has two dimensions or more: not a constant of the graph. */
  readonly matrix: boolean;
  /** The file beside the graph that holds it, and where it ends there; null if it is in the graph. */
  readonly place: WeightPlace | null;
}

interface WeightPlace {
  readonly file: string;
  readonly end: number;
}

/** TensorProto */
function readWeight(cursor: ProtobufCursor, end: number): Weight {
  let [name, type, dimensions] = ['', 'other', 0];
  const place = new Map<string, string>();
  for (const field of cursor.fields(end)) {
    if (field.number === 1) dimensions += 1;
    if (field.number === 2) type = types[field.value] ?? 'other';
    if (field.number === 8) name = cursor.text(field);
    if (field.number === 13) place.set(...readEntry(cursor, field.end));
  }
  const file = place.get('location');
  const stop = Number(place.get('offset') ?? 0) + Number(place.get('length') ?? 0);
  return {
    name,
    type,
    matrix: dimensions >= 2,
    place: file === undefined ? null : { file, end: Number.isFinite(stop) ? stop : 0 },
  };
}

/** StringStringEntryProto */
function readEntry(cursor: ProtobufCursor, end: number): readonly [key: string, value: string] {
  let [key, value] = ['', ''];
  for (const field of cursor.fields(end)) {
    if (field.number === 1) key = cursor.text(field);
    if (field.number === 2) value = cursor.text(field);
  }
  return [key, value];
}

/** ValueInfoProto */
function readPort(cursor: ProtobufCursor, end: number): Port {
  let name = '';
  let [type, shape]: readonly [string, Port['shape']] = ['other', []];
  for (const field of cursor.fields(end)) {
    if (field.number === 1) name = cursor.text(field);
    if (field.number === 2) {
      // TypeProto: only tensors.
      for (const kind of cursor.fields(field.end))
        if (kind.number === 1) [type, shape] = readTensorType(cursor, kind.end);
    }
  }
  return { name, type, shape };
}

/** TypeProto.Tensor */
function readTensorType(cursor: ProtobufCursor, end: number): readonly [string, Port['shape']] {
  let type = 'other';
  const shape: (number | string)[] = [];
  for (const field of cursor.fields(end)) {
    if (field.number === 1) type = types[field.value] ?? 'other';
    if (field.number !== 2) continue;
    for (const dimension of cursor.fields(field.end)) {
      if (dimension.number === 1) shape.push(readDimension(cursor, dimension.end));
    }
  }
  return [type, shape];
}

/** TensorShapeProto.Dimension; one without a value is free. */
function readDimension(cursor: ProtobufCursor, end: number): number | string {
  let size: number | string = '';
  for (const field of cursor.fields(end)) {
    // Some exporters write -1 for a free one.
    if (field.number === 1 && Number.isSafeInteger(field.value)) size = field.value;
    if (field.number === 2) size = cursor.text(field);
  }
  return size;
}

function mostOf(names: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}
