import { InferenceSession, Tensor } from 'onnxruntime-node';
import { dirname } from 'node:path';
import type { NumberPort } from '../../../model/layout/ports.js';
import { ModelError } from '../../../model/model-error.js';
import { withBorders, type Conversions } from '../../../model/onnx/borders.js';
import { asError } from '../../as-error.js';
import { volume } from './sizes.js';

/** Numbers for a network. */
export type Numbers = Float32Array | BigInt64Array | Int32Array;

/** Values and their shape; values beyond the product of the shape are ignored. Pictures are bytes. */
export interface Value {
  readonly data: Numbers | Uint8Array;
  readonly shape: readonly number[];
}

export interface Feed extends Value {
  readonly port: NumberPort;
}

export interface Wanted {
  readonly port: NumberPort;
  readonly shape: readonly number[];
}

/** Memory for an output. */
export interface Result extends Wanted {
  readonly data: Float32Array | Uint8Array;
}

/** Memory that grows to the largest requested size and is reused, so that changing sizes do not pile up. */
export class Scratch {
  #data = new Float32Array(0);

  take(length: number): Float32Array<ArrayBuffer> {
    if (this.#data.length < length) this.#data = new Float32Array(length);
    return this.#data.subarray(0, length);
  }
}

/** The same for the values of an input, in the type of its port. */
export class InputScratch {
  readonly #port: NumberPort;
  #data: Numbers;

  constructor(port: NumberPort) {
    this.#port = port;
    this.#data = zerosFor(port, 0);
  }

  take(length: number): Numbers {
    if (this.#data.length < length) this.#data = zerosFor(this.#port, length);
    return this.#data.subarray(0, length);
  }
}

/**
 * One ONNX network, whose inputs and outputs in half precision are single precision here. Its results are in memory that
 * is reused by later calls.
 */
export class OnnxPart implements AsyncDisposable {
  readonly #session: InferenceSession;
  /** What ports are called in the session, if not as in the file. */
  readonly #names: ReadonlyMap<string, string>;
  readonly #floats = new Map<string, Scratch>();

  private constructor(session: InferenceSession, names: ReadonlyMap<string, string> = new Map()) {
    this.#session = session;
    this.#names = names;
  }

  /**
   * @param conversions what becomes of ports: pictures are bytes then, and values scaled.
   * @throws {ModelError} if the file cannot be loaded.
   */
  static async load(
    file: string,
    options: InferenceSession.SessionOptions,
    conversions: Conversions = new Map(),
  ): Promise<OnnxPart> {
    try {
      const bordered = withBorders(file, conversions);
      if (bordered === null) return new OnnxPart(await InferenceSession.create(file, options));
      const session = await InferenceSession.create(bordered.bytes, withWeightsIn(dirname(file), options));
      return new OnnxPart(session, bordered.names);
    } catch (cause) {
      throw new ModelError(file, `cannot be loaded: ${asError(cause).message.trim()}`, { cause });
    }
  }

  /** Runs the network for one output, and blocks this thread. The result is valid until the next run. */
  async run(feeds: readonly Feed[], port: NumberPort, shape: readonly number[]): Promise<Float32Array> {
    const data = this.#scratch(port).take(volume(shape));
    await this.runInto(feeds, [{ port, shape, data }]);
    return data;
  }

  /** Does the same for several outputs, in the order of `wanted`. */
  async runFor(feeds: readonly Feed[], wanted: readonly Wanted[]): Promise<readonly Float32Array[]> {
    const results = wanted.map(({ port, shape }) => ({
      port,
      shape,
      data: this.#scratch(port).take(volume(shape)),
    }));
    await this.runInto(feeds, results);
    return results.map(({ data }) => data);
  }

  /** Runs the network for outputs in this memory. */
  async runInto(feeds: readonly Feed[], results: readonly Result[]): Promise<void> {
    const fetches = results.map(({ port, ...value }) => [this.#nameOf(port), tensorOf(value)] as const);
    await this.#session.run(this.#tensors(feeds), Object.fromEntries(fetches));
  }

  /** Runs the network for one output whose shape only the run tells. The result has the type of the port, in new memory. */
  async runOpen(
    feeds: readonly Feed[],
    port: NumberPort,
  ): Promise<{ readonly data: Numbers; readonly shape: readonly number[] }> {
    const name = this.#nameOf(port);
    const { [name]: tensor } = await this.#session.run(this.#tensors(feeds), [name]);
    if (tensor === undefined) throw new RangeError(`the network has no output ${name}`);
    return { data: tensor.data as Numbers, shape: tensor.dims };
  }

  /** Returns whether a run with these values succeeds. A failure is not logged. */
  async accepts(feeds: readonly Feed[]): Promise<boolean> {
    try {
      await this.#session.run(this.#tensors(feeds), { logSeverityLevel: 4 });
      return true;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }

  #tensors(feeds: readonly Feed[]): Record<string, Tensor> {
    return Object.fromEntries(feeds.map(({ port, ...value }) => [this.#nameOf(port), tensorOf(value)]));
  }

  #nameOf({ name }: NumberPort): string {
    return this.#names.get(name) ?? name;
  }

  #scratch({ name }: NumberPort): Scratch {
    let scratch = this.#floats.get(name);
    if (scratch === undefined) this.#floats.set(name, (scratch = new Scratch()));
    return scratch;
  }
}

/** Returns options for a graph in memory whose weights are in other files. */
function withWeightsIn(
  folder: string,
  options: InferenceSession.SessionOptions,
): InferenceSession.SessionOptions {
  const { extra } = options;
  const session = Object(extra?.['session']) as object;
  const place = { model_external_initializers_file_folder_path: folder };
  return { ...options, extra: { ...extra, session: { ...session, ...place } } };
}

/** Returns values as an input of a network, or as the memory of an output. */
export function tensorOf({ data, shape }: Value): Tensor {
  if (data instanceof Uint8Array) return new Tensor('uint8', data, shape);
  if (data instanceof BigInt64Array) return new Tensor('int64', data, shape);
  if (data instanceof Int32Array) return new Tensor('int32', data, shape);
  return new Tensor('float32', data, shape);
}

/** Converts numbers to the type of a port; for integer ports they are rounded. */
export function numbersFor(port: NumberPort, values: ArrayLike<number>): Numbers {
  const numbers = zerosFor(port, values.length);
  writeNumbers(numbers, values, 0);
  return numbers;
}

/** Writes values at this place into the numbers of a port; integers are rounded. */
export function writeNumbers(numbers: Numbers, values: ArrayLike<number>, at: number): void {
  if (numbers instanceof Float32Array) {
    numbers.set(values, at);
    return;
  }
  for (let i = 0; i < values.length; i++) {
    const value = Math.round(values[i] ?? 0);
    if (numbers instanceof Int32Array) numbers[at + i] = value;
    else numbers[at + i] = BigInt(value);
  }
}

/** Sets numbers to 0, from this place on. */
export function clearNumbers(numbers: Numbers, from: number, to: number): void {
  if (numbers instanceof BigInt64Array) numbers.fill(0n, from, to);
  else numbers.fill(0, from, to);
}

function zerosFor({ type }: NumberPort, length: number): Numbers {
  switch (type) {
    case 'int64':
      return new BigInt64Array(length);
    case 'int32':
      return new Int32Array(length);
    default:
      return new Float32Array(length);
  }
}
