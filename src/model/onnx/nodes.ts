import { field, floatBytes, floatField } from './protobuf-writer.js';

// Fields of GraphProto (onnx.proto): nodes, and descriptions of inputs and outputs.

/** Numbers of TensorProto.DataType. */
const elementTypes = { float32: 1, uint8: 2, float16: 10 } as const;
type ElementType = keyof typeof elementTypes;

/** Numbers of AttributeProto.AttributeType. */
const [ofFloat, ofInteger, ofTensor, ofIntegers] = [1, 2, 4, 7];

/** Returns a node of a graph. */
export function node(
  operation: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly Buffer[] = [],
): Buffer {
  return field(1, [
    ...inputs.map((input) => field(1, input)),
    field(2, output),
    // Some providers report nodes by their names.
    field(3, output),
    field(4, operation),
    ...attributes,
  ]);
}

/** Returns a node that converts to another type. */
export function cast(input: string, output: string, to: ElementType): Buffer {
  return node('Cast', [input], output, [attribute('to', [field(3, elementTypes[to]), field(20, ofInteger)])]);
}

/** Returns a node that reorders the axes. */
export function transpose(input: string, output: string, axes: readonly number[]): Buffer {
  const order = [...axes.map((axis) => field(8, axis)), field(20, ofIntegers)];
  return node('Transpose', [input], output, [attribute('perm', order)]);
}

/** Returns a node that gives one number. */
export function constant(output: string, value: number): Buffer {
  const tensor = [field(2, elementTypes.float32), field(9, floatBytes(value))];
  return node('Constant', [], output, [attribute('value', [field(5, tensor), field(20, ofTensor)])]);
}

/** Returns a node for max(0, min(1, alpha x + beta)). */
export function hardSigmoid(input: string, output: string, alpha: number, beta: number): Buffer {
  const number = (name: string, value: number): Buffer =>
    attribute(name, [floatField(2, value), field(20, ofFloat)]);
  return node('HardSigmoid', [input], output, [number('alpha', alpha), number('beta', beta)]);
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

function attribute(name: string, content: readonly Buffer[]): Buffer {
  return field(5, [field(1, name), ...content]);
}
