/**
 * What was loaded so far. Disposal releases it, the newest first: if a later part fails, nothing of the earlier ones is
 * left. Like AsyncDisposableStack, which the oldest Node.js that we support lacks.
 */
export class Resources implements AsyncDisposable {
  readonly #all: AsyncDisposable[] = [];

  /** Adds a resource. @returns it. */
  use<Resource extends AsyncDisposable>(resource: Resource): Resource {
    this.#all.push(resource);
    return resource;
  }

  /** Gives everything to a new owner. @returns what the owner disposes of. */
  move(): Resources {
    const moved = new Resources();
    moved.#all.push(...this.#all.splice(0));
    return moved;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const resource of this.#all.splice(0).reverse()) await resource[Symbol.asyncDispose]();
  }
}
