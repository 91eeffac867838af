/** Longest text of a value, in characters. */
const longest = 60;
/** Deepest nesting that is shown: it may be thousands deep, and the stack is not. */
const deepest = 4;

/** Returns a value as text, shortened for a message. */
export function showValue(value: unknown): string {
  // JSON has no NaN and no infinity.
  if (typeof value === 'number') return String(value);
  if (ArrayBuffer.isView(value)) return binary;
  return shorten(JSON.stringify(outline(value, deepest)) ?? String(value));
}

/** Returns a text for a message; a long one cut off, with its length. */
export function shorten(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}... (${text.length} characters)` : text;
}

const binary = 'binary data';

/** Returns a value with words for its bytes: in JSON each byte would be a property, and a picture would take seconds. */
function outline(value: unknown, depth: number): unknown {
  if (ArrayBuffer.isView(value)) return binary;
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '...';
  if (Array.isArray(value)) return value.map((item) => outline(item, depth - 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, outline(item, depth - 1)]));
}
