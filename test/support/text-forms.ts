/** Returns a text in all encodings in which editors save it. */
export function forms(text: string): Readonly<Record<string, Buffer>> {
  const little = Buffer.from(text, 'utf16le');
  const big = Buffer.from(little).swap16();
  const utf8 = Buffer.from(text);
  return {
    'UTF-8': utf8,
    'UTF-8 with a mark': Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), utf8]),
    'UTF-16LE': little,
    'UTF-16LE with a mark': Buffer.concat([Buffer.of(0xff, 0xfe), little]),
    'UTF-16BE': big,
    'UTF-16BE with a mark': Buffer.concat([Buffer.of(0xfe, 0xff), big]),
  };
}
