/** A model folder that cannot be used. The message is one line: which file is wrong, how, and what to do. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  /** The faulty file or folder. */
  readonly path: string;

  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path}: ${problem}`, options);
    this.path = path;
  }
}
