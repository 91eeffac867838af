import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { NumberPort } from '../../../model/layout/ports.js';
import { ModelError } from '../../../model/model-error.js';
import { asError } from '../../as-error.js';
import { floatsToHalves, halvesToFloats } from './half.js';
import { volume } from './sizes.js';

/** Numbers for a network. Single precision is converted to half if the port has that type. */
export type Numbers = Float32Array | BigInt64Array | Int32Array;

/** Values and their shape; values beyond the product of the shape are ignored. */
interface Value {
  readonly data: Numbers;
  readonly shape: readonly number[];
}

export interface Feed extends Value {
  readonly port: NumberPort;
}

export interface Wanted {
  readonly port: NumberPort;
  readonly shape: readonly number[];
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

/** The same for values in half precision. */
class HalfScratch {
  #data = new Uint16Array(0);

  take(length: number): Uint16Array<ArrayBuffer> {
    if (this.#data.length < length) this.#data = new Uint16Array(length);
    return this.#data.subarray(0, length);
  }
}

/** One ONNX network. Its results are in memory that is reused by later calls. */
export class OnnxPart implements AsyncDisposable {
  readonly #session: InferenceSession;
  readonly #floats = new Map<string, Scratch>();
  readonly #halves = new Map<string, HalfScratch>();

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** @throws {ModelError} if the file cannot be loaded. */
  static async load(file: string, options: InferenceSession.SessionOptions): Promise<OnnxPart> {
    try {
      return new OnnxPart(await InferenceSession.create(file, options));
    } catch (cause) {
      throw new ModelError(file, `cannot be loaded: ${asError(cause).message.trim()}`, { cause });
    }
  }

  /** Runs the network for one output, and blocks this thread. The result is valid until the next run. */
  async run(feeds: readonly Feed[], port: NumberPort, shape: readonly number[]): Promise<Float32Array> {
    const data = this.#scratch(port, this.#floats, Scratch).take(volume(shape));
    await this.#runInto(feeds, [{ port, shape, data }]);
    return data;
  }

  /** Does the same for several outputs, in the order of `wanted`. */
  async runFor(feeds: readonly Feed[], wanted: readonly Wanted[]): Promise<readonly Float32Array[]> {
    const results = wanted.map(({ port, shape }) => ({
      port,
      shape,
      data: this.#scratch(port, this.#floats, Scratch).take(volume(shape)),
    }));
    await this.#runInto(feeds, results);
    return results.map(({ data }) => data);
  }

  /** Runs the network for one output whose shape only the run tells. The result is in new memory. */
  async runOpen(
    feeds: readonly Feed[],
    { name }: NumberPort,
  ): Promise<{ readonly data: Float32Array; readonly shape: readonly number[] }> {
    const { [name]: tensor } = await this.#session.run(this.#tensors(feeds), [name]);
    if (tensor === undefined) throw new RangeError(`the network has no output ${name}`);
    return { data: floatsOf(tensor), shape: tensor.dims };
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

  async #runInto(
    feeds: readonly Feed[],
    results: readonly (Wanted & { readonly data: Float32Array })[],
  ): Promise<void> {
    const outputs = results.map(({ port, shape, data }) => {
      const isHalf = port.type === 'float16';
      const half = isHalf ? this.#scratch(port, this.#halves, HalfScratch).take(data.length) : null;
      return {
        name: port.name,
        data,
        half,
        tensor: half ? halfTensor(half, shape) : new Tensor('float32', data, shape),
      };
    });
    const fetches = Object.fromEntries(outputs.map(({ name, tensor }) => [name, tensor]));
    await this.#session.run(this.#tensors(feeds), fetches);
    for (const { half, data } of outputs) if (half) halvesToFloats(half, data);
  }

  #tensors(feeds: readonly Feed[]): Record<string, Tensor> {
    return Object.fromEntries(feeds.map((feed) => [feed.port.name, this.#tensor(feed)]));
  }

  #tensor({ port, data, shape }: Feed): Tensor {
    if (data instanceof BigInt64Array) return new Tensor('int64', data, shape);
    if (data instanceof Int32Array) return new Tensor('int32', data, shape);
    if (port.type !== 'float16') return new Tensor('float32', data, shape);
    const half = this.#scratch(port, this.#halves, HalfScratch).take(data.length);
    floatsToHalves(data, half);
    return halfTensor(half, shape);
  }

  #scratch<S>({ name }: NumberPort, all: Map<string, S>, Kind: new () => S): S {
    let scratch = all.get(name);
    if (scratch === undefined) all.set(name, (scratch = new Kind()));
    return scratch;
  }
}

/**
 * Returns a float16 tensor over these bits, without a copy. If Float16Array exists (from Node 24 on), the library would
 * convert them to one, whose memory its own native binding does not find.
 */
function halfTensor(halves: Uint16Array, shape: readonly number[]): Tensor {
  return Object.defineProperty(new Tensor('float16', halves, shape), 'data', { value: halves });
}

/** Returns the values of a tensor of any type as floats. */
function floatsOf({ type, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (type === 'float16' && data instanceof Uint16Array) {
    const floats = new Float32Array(data.length);
    halvesToFloats(data, floats);
    return floats;
  }
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
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
