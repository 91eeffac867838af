/** Most bytes that the head of a part may have. */
const mostHeadBytes = 1024;

/**
 * Yields the pictures of a body of the type multipart/x-mixed-replace, each as soon as it is complete. Every part must
 * give its length.
 * @throws {TypeError} if it does not.
 */
export async function* picturesIn(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let rest = new Uint8Array();
  for (;;) {
    const part = firstPart(rest);
    if (part !== undefined) {
      yield part.picture;
      rest = part.rest;
      continue;
    }
    const { value, done } = await reader.read();
    if (done) return;
    rest = joined(rest, value);
  }
}

interface Part {
  readonly picture: Uint8Array<ArrayBuffer>;
  /** What comes after it. */
  readonly rest: Uint8Array<ArrayBuffer>;
}

/** Returns the first part; undefined if it is not complete. */
function firstPart(bytes: Uint8Array<ArrayBuffer>): Part | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, mostHeadBytes));
  const [found, length] = /content-length: *(\d+)\r\n(?:.+\r\n)*\r\n/i.exec(head) ?? [];
  if (found === undefined) {
    if (bytes.length >= mostHeadBytes) throw new TypeError('a part gives no length');
    return undefined;
  }
  const start = head.indexOf(found) + found.length;
  const end = start + Number(length);
  if (bytes.length < end) return undefined;
  return { picture: bytes.slice(start, end), rest: bytes.slice(end) };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
