/** Something that the person who started `millrace run` can put right; the message is one line that says what. */
export class RunError extends Error {
  override readonly name = 'RunError';
}
