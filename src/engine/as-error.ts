/** Converts a thrown value to an Error, if it is not one. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Returns the message of an error on one line. */
export function oneLine(error: unknown): string {
  return asError(error)
    .message.replace(/\s*\n\s*/g, ' ')
    .trim();
}
