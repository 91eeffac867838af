/** The memory of the attention banks of all streams. */
export class BankMemory {
  readonly #limit: number;
  readonly #reserved = new Map<number, number>();

  /** @param limit most bytes of all banks together. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Returns the bytes that a stream may have, with those that it has already. */
  leftFor(stream: number): number {
    let others = 0;
    for (const [id, bytes] of this.#reserved) if (id !== stream) others += bytes;
    return Math.max(0, this.#limit - others);
  }

  /** Takes note of the bytes that a stream has from now on. */
  reserve(stream: number, bytes: number): void {
    if (bytes === 0) this.#reserved.delete(stream);
    else this.#reserved.set(stream, bytes);
  }
}
