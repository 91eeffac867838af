/** Formats a number of bytes, as in `7.4 MB`. */
export function amount(bytes: number): string {
  const { size, name } = unitOf(bytes);
  return `${(bytes / size).toFixed(size === 1 ? 0 : 1)} ${name}`;
}

/** Returns the unit that suits a number of bytes. */
export function unitOf(bytes: number): { readonly size: number; readonly name: string } {
  if (bytes >= 1e9) return { size: 1e9, name: 'GB' };
  if (bytes >= 1e6) return { size: 1e6, name: 'MB' };
  return bytes >= 1e3 ? { size: 1e3, name: 'kB' } : { size: 1, name: 'B' };
}
