const longest = 60;

/** Returns a value as text, shortened for an error message. */
export function showValue(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (value instanceof Uint8Array) return 'binary data';
  return shorten(JSON.stringify(value) ?? String(value));
}

/** Shortens a text for an error message. */
export function shorten(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}... (${text.length} characters)` : text;
}
