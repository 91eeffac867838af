/** An error that the user of `millrace run` can correct; the message is one line that says what is wrong. */
export class RunError extends Error {
  override readonly name = 'RunError';
}
