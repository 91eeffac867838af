/** Returns a field of a protobuf message: a whole number, or a text, bytes or a message of other fields. */
export function field(number: number, value: number | string | Uint8Array | readonly Uint8Array[]): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const content = bytesOf(value);
  return Buffer.concat([fieldHead(number, content.length), content]);
}

/** Returns what stands before the content of a field with bytes or a message of this length. */
export function fieldHead(number: number, length: number): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(length)]);
}

/** Returns a field with a number in single precision. */
export function floatField(number: number, value: number): Buffer {
  return Buffer.concat([varint(number * 8 + 5), floatBytes(value)]);
}

/** Returns the four bytes of a number in single precision, little-endian. */
export function floatBytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function bytesOf(value: string | Uint8Array | readonly Uint8Array[]): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  return value instanceof Uint8Array ? value : Buffer.concat(value);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
