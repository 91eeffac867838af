/** A model folder that cannot be used. The message is one line: which file is wrong, how, and what to do. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  /** The file or folder that is at fault. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.path = path;
  }
}
