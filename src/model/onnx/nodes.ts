import { field, floatBytes, floatField } from './protobuf-writer.js';

// Messages of onnx.proto: nodes, descriptions of inputs and outputs, and whole graphs.

/** Numbers of TensorProto.DataType. */
const elementTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const;
export type ElementType = keyof typeof elementTypes;

/** Numbers of AttributeProto.AttributeType. */
const [ofFloat, ofInteger, ofText, ofTensor, ofIntegers] = [1, 2, 3, 4, 7];

/** The domain of operators that ONNX Runtime has beyond ONNX. */
export const runtimeDomain = 'com.microsoft';
/** The version of ONNX's operators in graphs that are made here, unless one needs another. */
const usualOpset = 18;
/** The version of the format of files. */
const irVersion = 10;

/** Returns a node of a graph. An input that is left out is an empty text. */
export function node(
  operation: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly Buffer[] = [],
  domain = '',
): Buffer {
  return field(1, [
    ...inputs.map((input) => field(1, input)),
    field(2, output),
    // Some providers report nodes by their names.
    field(3, output),
    field(4, operation),
    ...attributes,
    ...(domain === '' ? [] : [field(7, domain)]),
  ]);
}

/** Returns a node that converts to another type. */
export function cast(input: string, output: string, to: ElementType): Buffer {
  return node('Cast', [input], output, [integer('to', elementTypes[to])]);
}

/** Returns a node that reorders the axes. */
export function transpose(input: string, output: string, axes: readonly number[]): Buffer {
  const order = [...axes.map((axis) => field(8, axis)), field(20, ofIntegers)];
  return node('Transpose', [input], output, [attribute('perm', order)]);
}

/** Returns a node that gives one number. */
export function constant(output: string, value: number): Buffer {
  return constants(output, 'float32', [value], []);
}

/** Returns a node that gives numbers of this shape. */
export function constants(
  output: string,
  type: 'float32' | 'int64' | 'uint8',
  values: readonly number[],
  shape: readonly number[] = [values.length],
): Buffer {
  const tensor = [...shape.map((size) => field(1, size)), field(2, elementTypes[type])];
  const content = field(9, Buffer.concat(values.map((value) => bytesOf(type, value))));
  return node('Constant', [], output, [
    attribute('value', [field(5, [...tensor, content]), field(20, ofTensor)]),
  ]);
}

/** Returns a node for max(0, min(1, alpha x + beta)). */
export function hardSigmoid(input: string, output: string, alpha: number, beta: number): Buffer {
  return node('HardSigmoid', [input], output, [float('alpha', alpha), float('beta', beta)]);
}

/** Returns an attribute of a node. */
export function integer(name: string, value: number): Buffer {
  return attribute(name, [field(3, value), field(20, ofInteger)]);
}

/** Returns an attribute of a node. */
export function float(name: string, value: number): Buffer {
  return attribute(name, [floatField(2, value), field(20, ofFloat)]);
}

/** Returns an attribute of a node. */
export function text(name: string, value: string): Buffer {
  return attribute(name, [field(4, value), field(20, ofText)]);
}

/** Returns the description of an input (field 11) or output (field 12). */
export function valueInfo(
  number: 11 | 12,
  name: string,
  type: ElementType,
  shape: readonly (number | string)[],
): Buffer {
  const dimensions = shape.map((size) =>
    field(1, size === '' ? [] : [field(typeof size === 'number' ? 1 : 2, size)]),
  );
  // A port without a declared shape gets none either.
  const shaped = shape.length > 0 ? [field(2, dimensions)] : [];
  return field(number, [field(1, name), field(2, [field(1, [field(1, elementTypes[type]), ...shaped])])]);
}

/** Returns the bytes of a file with a graph of these nodes, inputs and outputs. */
export function graphFile(parts: readonly Buffer[], opset = usualOpset): Buffer {
  return Buffer.concat([
    field(1, irVersion),
    field(7, [...parts, field(2, 'millrace')]),
    field(8, [field(2, opset)]),
    field(8, [field(1, runtimeDomain), field(2, 1)]),
  ]);
}

function attribute(name: string, content: readonly Buffer[]): Buffer {
  return field(5, [field(1, name), ...content]);
}

/** Returns one number as it stands in a tensor. */
function bytesOf(type: 'float32' | 'int64' | 'uint8', value: number): Buffer {
  if (type === 'float32') return floatBytes(value);
  if (type === 'uint8') return Buffer.of(value);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}
