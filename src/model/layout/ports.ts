import { dirname } from 'node:path';
import { ModelError } from '../model-error.js';
import type { Port, Signature } from '../onnx/signature.js';

/** An ONNX file and the description of its graph. */
export interface Graph extends Signature {
  /** Absolute path. */
  readonly file: string;
}

/** A port whose values are numbers. */
export interface NumberPort extends Port {
  readonly type: NumberType;
}

const numberTypes = ['float32', 'float16', 'int64', 'int32'] as const;
/** Types of ports of pictures, which may be bytes. */
export const pictureTypes = ['uint8', 'float32', 'float16'] as const;
type NumberType = (typeof numberTypes)[number] | (typeof pictureTypes)[number];

/**
 * Returns the input of this name.
 * @throws {ModelError} if there is none, or its values are not numbers of a known type.
 */
export function inputPort(graph: Graph, name: string): NumberPort {
  const port = graph.inputs.find((candidate) => candidate.name === name);
  if (port) return numberPort(graph, port);
  throw new ModelError(graph.file, `the graph has no input "${name}"; it has ${listOf(graph.inputs)}`);
}

/** Returns the first output with one of these names, else the first of all. @throws {ModelError} if there is none. */
export function outputPort(
  graph: Graph,
  names: readonly string[],
  types: readonly NumberType[] = numberTypes,
): NumberPort {
  for (const name of names) {
    const port = graph.outputs.find((candidate) => candidate.name === name);
    if (port) return numberPort(graph, port, types);
  }
  const [first] = graph.outputs;
  if (first === undefined) throw new ModelError(graph.file, 'the graph has no output');
  return numberPort(graph, first, types);
}

/** Returns the output of this name. @throws {ModelError} if there is none. */
export function namedOutput(graph: Graph, name: string): NumberPort {
  const port = graph.outputs.find((candidate) => candidate.name === name);
  if (port) return numberPort(graph, port);
  throw new ModelError(graph.file, `the graph has no output "${name}"; it has ${listOf(graph.outputs)}`);
}

/** Returns the only input of a graph. @throws {ModelError} if there are more or none. */
export function onlyInput(graph: Graph, types: readonly NumberType[] = numberTypes): NumberPort {
  const [first, ...others] = graph.inputs;
  if (first && others.length === 0) return numberPort(graph, first, types);
  throw new ModelError(
    graph.file,
    `the graph has the inputs ${listOf(graph.inputs) || '(none)'}, but one is expected; ` +
      'export this part of the model separately',
  );
}

/** @throws {ModelError} if the graph needs an input that is not known here. */
export function refuseOtherInputs(graph: Graph, known: readonly string[]): void {
  const other = graph.inputs.find(({ name }) => !known.includes(name));
  if (other === undefined) return;
  throw new ModelError(
    graph.file,
    `the graph needs an input "${other.name}", which is not known here; ` +
      'use a plain text-to-image model, or export it again without that input',
  );
}

/**
 * Checks a dimension of a port, if it is fixed.
 * @param wanted the size of an axis, and the configuration that requires it.
 * @throws {ModelError} if graph and configuration are from different models.
 */
export function checkAxis(
  graph: Graph,
  port: NumberPort,
  { axis, size, by }: { readonly axis: number; readonly size: number; readonly by: string },
): void {
  const found = fixedSize(port, axis);
  if (found === null || found === size) return;
  const config = dirname(by) === dirname(graph.file) ? 'config.json beside it' : by;
  throw new ModelError(
    graph.file,
    `"${port.name}" has the shape [${port.shape.join(', ')}], where ${config} requires ${size}, ` +
      `not ${found}; use both from the same model`,
  );
}

function numberPort(graph: Graph, port: Port, types: readonly NumberType[] = numberTypes): NumberPort {
  const type = types.find((candidate) => candidate === port.type);
  if (type) return { ...port, type };
  throw new ModelError(
    graph.file,
    `"${port.name}" is of type ${port.type}, not ${types.join(', ')}; export it again in one of these`,
  );
}

/** Returns a dimension if it is fixed, else null. */
export function fixedSize(port: Port, axis: number): number | null {
  const size = port.shape[axis];
  return typeof size === 'number' ? size : null;
}

function listOf(ports: readonly Port[]): string {
  return ports.map(({ name }) => name).join(', ');
}
