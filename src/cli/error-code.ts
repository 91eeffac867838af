/** Returns the code of a system error, such as ENOENT; undefined if it is another error. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
