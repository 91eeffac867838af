import { readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { integer, message, text } from './onnx-graph.js';

/** A node of a graph: its operation, its inputs, and the name of its result. */
type Node = readonly [operation: string, inputs: readonly string[], output: string];

/** What a spoiled graph adds to its output, and when that is not finite. */
export interface Spoiling {
  /** The output to spoil. */
  readonly output: string;
  /** Nodes that compute `spoil`, which is NaN or 0 and is added to the output. */
  readonly nodes: readonly Node[];
  /** Numbers by name, as floats, or as int64 if they are bigints. */
  readonly constants: Readonly<Record<string, readonly (number | bigint)[]>>;
}

/** Returns a spoiling that always adds the same number: NaN or an infinite one. */
export function always(output: string, value: number): Spoiling {
  return { output, nodes: [], constants: { spoil: [value] } };
}

/**
 * Returns a spoiling that adds NaN if a value is above a limit, else 0: the logarithm of a negative number is NaN.
 * @param nodes that compute `value`.
 */
export function above(
  output: string,
  limit: number,
  nodes: readonly Node[],
  constants: Spoiling['constants'] = {},
): Spoiling {
  return {
    output,
    nodes: [
      ...nodes,
      ['Sub', ['limit', 'value'], 'left'],
      ['Log', ['left'], 'logarithm'],
      ['Mul', ['logarithm', 'nothing'], 'spoil'],
    ],
    constants: { ...constants, limit: [limit], nothing: [0] },
  };
}

/**
 * Replaces a graph by one that computes the same except for what is added to its output.
 * It relies on protobuf: a message that is appended is merged, and lists in it grow.
 */
export async function spoil(file: string, { output, nodes, constants }: Spoiling): Promise<void> {
  const bytes = await readFile(await realpath(file));
  const made = Buffer.from(text(2, output));
  const at = bytes.lastIndexOf(made);
  if (at < 0) throw new RangeError(`no node makes ${output}`);
  // A name of the same length, so that no other length changes.
  const inner = `_${output.slice(1)}`;
  Buffer.from(text(2, inner)).copy(bytes, at);
  const all: readonly Node[] = [...nodes, ['Add', [inner, 'spoil'], output]];
  const graph = [
    ...all.flatMap(([operation, inputs, result]) =>
      message(1, [
        ...inputs.flatMap((name) => text(1, name)),
        ...text(2, result),
        ...text(4, operation),
        ...cast(operation),
      ]),
    ),
    ...Object.entries(constants).flatMap(([name, values]) => message(5, tensor(name, values))),
  ];
  // The file may be a link to the original.
  await rm(file);
  await writeFile(file, Buffer.concat([bytes, Buffer.from(message(7, graph))]));
}

/** Returns the attribute `to` of a Cast: always to floats. */
function cast(operation: string): number[] {
  if (operation !== 'Cast') return [];
  return message(5, [...text(1, 'to'), ...integer(3, 1), ...integer(20, 2)]);
}

function tensor(name: string, values: readonly (number | bigint)[]): number[] {
  const [float32, int64] = [1, 7];
  const whole = typeof values[0] === 'bigint';
  const raw = whole
    ? new Uint8Array(BigInt64Array.from(values as readonly bigint[]).buffer)
    : new Uint8Array(Float32Array.from(values as readonly number[]).buffer);
  return [
    ...integer(1, values.length),
    ...integer(2, whole ? int64 : float32),
    ...text(8, name),
    ...message(9, [...raw]),
  ];
}
