/** Returns a time such as 1:05. */
export function inMinutes(seconds: number): string {
  const rest = String(Math.floor(seconds) % 60).padStart(2, '0');
  return `${Math.floor(seconds / 60)}:${rest}`;
}

/** Returns a number with its noun, such as `1 second` or `2 seconds`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
