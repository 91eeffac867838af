/**
 * Decodes a text file as editors and shells of all systems write it: UTF-8 with or without a byte order mark, or UTF-16
 * of either order. UTF-16 without a mark is recognised by a first character that is ASCII, as that of JSON is.
 * @throws {TypeError} if the bytes are not valid in that encoding.
 */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
}

function encodingOf([first, second]: Uint8Array): string {
  if (first === undefined || second === undefined) return 'utf-8';
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
  return 'utf-8';
}
