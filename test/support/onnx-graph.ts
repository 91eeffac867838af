/** An input or output: its name, its number in TensorProto.DataType, and its shape; texts are free dimensions. */
export type GraphPort = readonly [name: string, type: number, shape: readonly (number | string)[]];

/** A node: its operation, its inputs, the name of its result, and those attributes that are integers. */
export type GraphNode = readonly [
  operation: string,
  inputs: readonly string[],
  output: string,
  attributes?: Readonly<Record<string, number | readonly number[]>>,
];

export interface GraphParts {
  readonly inputs: readonly GraphPort[];
  readonly outputs: readonly GraphPort[];
  /** Weights by name, with the file that holds them, or null for this one. */
  readonly weights?: readonly (readonly [
    name: string,
    type: number,
    shape: readonly number[],
    file: string | null,
    /** Offset and length in that file. */
    place?: readonly [number, number],
  ])[];
  /** Weights with values: floats, or int64 if they are bigints. */
  readonly constants?: readonly (readonly [
    name: string,
    shape: readonly number[],
    values: readonly number[] | readonly bigint[],
  ])[];
  /** What it computes. Without nodes it can be read, but not run. */
  readonly nodes?: readonly GraphNode[];
}

/** Returns the bytes of an ONNX file, assembled by hand according to onnx.proto. */
export function onnxGraph({ inputs, outputs, weights = [], constants = [], nodes = [] }: GraphParts): Buffer {
  const graph = [
    ...nodes.map(([operation, given, result, attributes = {}]) =>
      message(1, [
        ...given.flatMap((name) => text(1, name)),
        ...text(2, result),
        ...text(4, operation),
        ...Object.entries(attributes).flatMap(([name, value]) => attribute(name, value)),
      ]),
    ),
    ...(nodes.length > 0 ? [text(2, 'by hand')] : []),
    ...weights.map(([name, type, shape, file, at]) => {
      const entries = Object.entries({ location: file, offset: at?.[0], length: at?.[1] }).filter(
        ([, value]) => value != null,
      );
      const place = entries.map(([key, value]) => text(13, [...text(1, key), ...text(2, String(value))]));
      return message(5, [
        ...shape.flatMap((size) => integer(1, size)),
        ...integer(2, type),
        ...text(8, name),
        // Bytes that must be skipped: they look like fields.
        ...(file === null ? message(9, [0x5a, 0x03, 0x0a, 0x01, 0x78]) : []),
        ...place.flat(),
      ]);
    }),
    ...constants.map(([name, shape, values]) =>
      message(5, [
        ...shape.flatMap((size) => integer(1, size)),
        ...integer(2, typeof values[0] === 'bigint' ? 7 : 1),
        ...text(8, name),
        ...message(9, [...new Uint8Array(numbers(values).buffer)]),
      ]),
    ),
    ...inputs.map((port) => message(11, valueInfo(port))),
    ...outputs.map((port) => message(12, valueInfo(port))),
  ].flat();
  const version = nodes.length > 0 ? message(8, integer(2, 16)) : [];
  return Buffer.from([...integer(1, 8), ...text(2, 'by hand'), ...message(7, graph), ...version]);
}

function attribute(name: string, value: number | readonly number[]): number[] {
  const content =
    typeof value === 'number'
      ? [...integer(3, value), ...integer(20, 2)]
      : [...value.flatMap((one) => integer(8, one)), ...integer(20, 7)];
  return text(5, [...text(1, name), ...content]);
}

function numbers(values: readonly number[] | readonly bigint[]): Float32Array | BigInt64Array {
  return typeof values[0] === 'bigint'
    ? BigInt64Array.from(values as readonly bigint[])
    : Float32Array.from(values as readonly number[]);
}

function valueInfo([name, type, shape]: GraphPort): number[] {
  const dimensions = shape.flatMap((size) => {
    return message(1, typeof size === 'number' ? integer(1, size) : text(2, size));
  });
  const tensor = [...integer(1, type), ...message(2, dimensions)];
  return [...text(1, name), ...message(2, message(1, tensor))];
}

export function integer(field: number, value: number): number[] {
  return [...varint(BigInt(field * 8)), ...varint(BigInt.asUintN(64, BigInt(value)))];
}

export function text(field: number, content: string | readonly number[]): number[] {
  return message(field, typeof content === 'string' ? [...Buffer.from(content)] : content);
}

export function message(field: number, content: readonly number[]): number[] {
  return [...varint(BigInt(field * 8 + 2)), ...varint(BigInt(content.length)), ...content];
}

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (; value > 127n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return [...bytes, Number(value)];
}
