/**
 * Decodes a text file from a user. Editors and shells of some systems write a byte order mark, or UTF-16 (as PowerShell
 * does with `>`). Without a mark, UTF-16 is recognized by the zero byte of its first character, which in JSON and PEM
 * is always ASCII (RFC 4627 section 3).
 * @returns the text without its mark.
 * @throws {TypeError} if the bytes are not text in UTF-8 or UTF-16.
 */
export function decodeText(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new TypeError(`it is not valid ${encoding.toUpperCase()} text; save it as UTF-8`);
  }
}

/**
 * Parses JSON from a user, in UTF-8 or UTF-16.
 * @throws {TypeError} if the bytes are not text. @throws {SyntaxError} if the text is not JSON.
 */
export function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(decodeText(bytes));
}

function encodingOf([a, b, c, d]: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const wide = (a === 0xff && b === 0xfe && c === 0 && d === 0) || (a === 0 && b === 0);
  if (wide) throw new TypeError('it is UTF-32 or binary, not text; save it as UTF-8');
  if ((a === 0xff && b === 0xfe) || (a !== undefined && b === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== undefined)) return 'utf-16be';
  return 'utf-8';
}
