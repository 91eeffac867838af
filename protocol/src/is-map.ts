/** Returns whether a value is a map: an object of JSON or MessagePack. Binaries, too, are objects. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
