import { readFile } from 'node:fs/promises';

type TensorValues = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

export interface Tensor {
  readonly shape: readonly number[];
  /** Row by row. Half precision is widened to single. */
  readonly values: TensorValues;
}

/** The tensors of one .safetensors file, by name. */
export class SafeTensors {
  readonly #tensors: ReadonlyMap<string, Tensor>;

  constructor(tensors: ReadonlyMap<string, Tensor>) {
    this.#tensors = tensors;
  }

  get names(): readonly string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @throws {RangeError} if the file has no such tensor. */
  tensor(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new RangeError(`no tensor ${name}; there are ${this.names.join(', ')}`);
    return tensor;
  }

  shape(name: string): readonly number[] {
    return this.tensor(name).shape;
  }

  /** Returns the values of a tensor in single or half precision. @throws {TypeError} if it is of another type. */
  floats(name: string): Float32Array {
    const { values } = this.tensor(name);
    if (!(values instanceof Float32Array)) throw new TypeError(`tensor ${name} is not in single precision`);
    return values;
  }

  /** Returns a view of entry `index` of the first axis of a tensor in single or half precision. */
  entry(name: string, index: number): Float32Array {
    const [count, ...rest] = this.shape(name);
    if (index < 0 || index >= count) throw new RangeError(`tensor ${name} has ${count} entries, no ${index}`);
    const length = rest.reduce((product, side) => product * side, 1);
    return this.floats(name).subarray(index * length, (index + 1) * length);
  }

  /** Returns the values of a tensor of any type. */
  numbers(name: string): number[] {
    return Array.from<number | bigint, number>(this.tensor(name).values, Number);
  }
}

interface TensorHeader {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads a file of the safetensors format: the header's length (u64), a JSON header, and the tensors' bytes. */
export async function readSafeTensors(path: string): Promise<SafeTensors> {
  const file = await readFile(path);
  const headerLength = Number(file.readBigUInt64LE(0));
  const data = 8 + headerLength;
  const header = JSON.parse(file.toString('utf8', 8, data)) as Readonly<Record<string, TensorHeader>>;
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    // A copy, because typed arrays need aligned bytes.
    const bytes = Uint8Array.from(file.subarray(data + offsets[0], data + offsets[1]));
    tensors.set(name, { shape, values: typedValues(dtype, bytes) });
  }
  return new SafeTensors(tensors);
}

function typedValues(dtype: string, bytes: Uint8Array<ArrayBuffer>): TensorValues {
  switch (dtype) {
    case 'F64':
      return new Float64Array(bytes.buffer);
    case 'F32':
      return new Float32Array(bytes.buffer);
    case 'F16':
      return Float32Array.from(new Uint16Array(bytes.buffer), halfToNumber);
    case 'I64':
      return new BigInt64Array(bytes.buffer);
    case 'I32':
      return new Int32Array(bytes.buffer);
    case 'U8':
      return bytes;
    default:
      throw new TypeError(`tensors of type ${dtype} are not read here`);
  }
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
