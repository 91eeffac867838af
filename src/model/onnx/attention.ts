import { readProtobuf, type ProtobufCursor } from './protobuf.js';

/** A node of a graph, as far as attention is recognised by it. */
interface Node {
  readonly operation: string;
  readonly inputs: readonly string[];
  readonly output: string;
}

/**
 * Returns how many attention layers of a graph are in plain operators, which store the scores of all heads: products that
 * take the result of a softmax.
 * @throws {RangeError} if the file is not an ONNX graph.
 */
export function countPlainAttention(file: string): number {
  const nodes = readProtobuf(file, readNodes);
  const makers = new Map(nodes.map((node) => [node.output, node]));
  const isSoftmax = (name = ''): boolean => {
    const maker = makers.get(name);
    // Probabilities may be converted to the type of the values.
    return maker?.operation === 'Cast' ? isSoftmax(maker.inputs[0]) : maker?.operation === 'Softmax';
  };
  return nodes.filter(({ operation, inputs }) => operation === 'MatMul' && isSoftmax(inputs[0])).length;
}

/**
 * Returns whether a graph has attention as one operator of ONNX Runtime.
 * @throws {RangeError} if the file is not an ONNX graph.
 */
export function hasFusedAttention(file: string): boolean {
  return readProtobuf(file, readNodes).some(({ operation }) => operation === 'MultiHeadAttention');
}

/** ModelProto, and the GraphProto in it */
function readNodes(cursor: ProtobufCursor): readonly Node[] {
  const nodes: Node[] = [];
  for (const { number, end } of cursor.fields(cursor.size)) {
    if (number !== 7) continue;
    for (const field of cursor.fields(end)) if (field.number === 1) nodes.push(readNode(cursor, field.end));
  }
  return nodes;
}

/** NodeProto */
function readNode(cursor: ProtobufCursor, end: number): Node {
  const inputs: string[] = [];
  let [operation, output] = ['', ''];
  for (const field of cursor.fields(end)) {
    if (field.number === 1) inputs.push(cursor.text(field));
    if (field.number === 2 && output === '') output = cursor.text(field);
    if (field.number === 4) operation = cursor.text(field);
  }
  return { operation, inputs, output };
}
