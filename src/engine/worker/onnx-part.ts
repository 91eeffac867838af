import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelError } from '../../model/model-error.js';

type Data = Float32Array | BigInt64Array | Int32Array;

/** One input or output of a network as the file declares it. */
export interface Port {
  readonly name: string;
  readonly type: string;
  /** Numbers are fixed sizes, strings are names of free ones. */
  readonly shape: readonly (number | string)[];
}

/** Values with the shape that they are read in; only the first product-of-shape values count. */
export interface Value {
  readonly data: Data;
  readonly shape: readonly number[];
}

/** Memory that grows to the largest size asked for, so that changing sizes do not pile up. */
export class Scratch {
  #data = new Float32Array(0);

  take(length: number): Float32Array<ArrayBuffer> {
    if (this.#data.length < length) this.#data = new Float32Array(length);
    return this.#data.subarray(0, length);
  }
}

/** One ONNX network: named values in, one float output in memory that is kept between calls. */
export class OnnxPart {
  readonly inputs: readonly Port[];
  readonly output: Port;
  readonly #file: string;
  readonly #session: InferenceSession;
  readonly #result = new Scratch();

  private constructor(file: string, session: InferenceSession, inputs: readonly Port[], output: Port) {
    this.#file = file;
    this.#session = session;
    this.inputs = inputs;
    this.output = output;
  }

  /**
   * @param preferredOutput which output to take if there are several; the first if it is not there.
   * @throws {ModelError} if the file cannot be loaded.
   */
  static async load(
    file: string,
    options: InferenceSession.SessionOptions,
    preferredOutput: string,
  ): Promise<OnnxPart> {
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(file, options);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ModelError(file, `cannot be loaded: ${reason}`, { cause });
    }
    const outputs = ports(session.outputMetadata);
    const output = outputs.find(({ name }) => name === preferredOutput) ?? outputs[0];
    if (output === undefined) throw new ModelError(file, 'the graph has no output');
    return new OnnxPart(file, session, ports(session.inputMetadata), output);
  }

  /** The input of this name. @throws {ModelError} if there is none. */
  input(name: string): Port {
    const port = this.inputs.find((candidate) => candidate.name === name);
    if (port === undefined) {
      const names = this.inputs.map((candidate) => candidate.name).join(', ');
      throw new ModelError(this.#file, `the graph has no input "${name}" (it has ${names})`);
    }
    return port;
  }

  /** Runs the network. The result is valid until the next run. Blocks this thread meanwhile. */
  async run(feeds: Readonly<Record<string, Value>>, outputShape: readonly number[]): Promise<Float32Array> {
    const tensors = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, tensor(value)]));
    const data = this.#result.take(volume(outputShape));
    await this.#session.run(tensors, { [this.output.name]: tensor({ data, shape: outputShape }) });
    return data;
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

function ports(metadata: readonly InferenceSession.ValueMetadata[]): readonly Port[] {
  return metadata.map((value) =>
    value.isTensor
      ? { name: value.name, type: value.type, shape: value.shape }
      : { name: value.name, type: 'other', shape: [] },
  );
}

export function volume(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function tensor({ data, shape }: Value): Tensor {
  if (data instanceof Float32Array) return new Tensor('float32', data, shape);
  return data instanceof Int32Array ? new Tensor('int32', data, shape) : new Tensor('int64', data, shape);
}
