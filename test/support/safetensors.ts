import { readFileSync } from 'node:fs';

export type TensorData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

export interface TensorFile {
  /** Values of a tensor. @throws {RangeError} if it is not in the file. */
  data(name: string): TensorData;
  /** The same as floats or integers of 32 bits or less; 64-bit integers become numbers. */
  numbers(name: string): ArrayLike<number>;
  shape(name: string): readonly number[];
  has(name: string): boolean;
  readonly names: readonly string[];
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads a .safetensors file: a 64-bit length, a JSON header, and the values little-endian one after another. */
export function readSafetensors(path: string): TensorFile {
  const bytes = readFileSync(path);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<string, Entry>;
  delete header['__metadata__'];
  const start = 8 + headerLength;
  const entry = (name: string): Entry => {
    const found = header[name];
    if (found === undefined) throw new RangeError(`${path} has no tensor ${name}`);
    return found;
  };
  const data = (name: string): TensorData => {
    const { dtype, data_offsets } = entry(name);
    // A copy, since typed arrays need aligned memory.
    const buffer = new Uint8Array(bytes.subarray(start + data_offsets[0], start + data_offsets[1])).buffer;
    return view(dtype, buffer);
  };
  return {
    data,
    numbers: (name) => {
      const values = data(name);
      return values instanceof BigInt64Array ? Array.from(values, Number) : values;
    },
    shape: (name) => entry(name).shape,
    has: (name) => name in header,
    names: Object.keys(header),
  };
}

function view(dtype: string, buffer: ArrayBuffer): TensorData {
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F64':
      return new Float64Array(buffer);
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer), halfToFloat);
    case 'I64':
      return new BigInt64Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer);
    default:
      throw new RangeError(`tensors of type ${dtype} are not read here`);
  }
}

/** IEEE 754 binary16. */
function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
