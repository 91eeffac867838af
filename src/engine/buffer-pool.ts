/** ArrayBuffers for pixels that travel between threads and come back. */
export class BufferPool {
  readonly #capacity: number;
  readonly #free: ArrayBuffer[] = [];

  /** @param capacity buffers that are kept while nobody uses them. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A buffer of exactly this size, with whatever was in it before. */
  take(bytes: number): ArrayBuffer {
    const index = this.#free.findIndex((buffer) => buffer.byteLength === bytes);
    const [buffer] = index < 0 ? [] : this.#free.splice(index, 1);
    return buffer ?? new ArrayBuffer(bytes);
  }

  /** Takes a buffer back; the oldest is let go when there are too many. */
  give(buffer: ArrayBuffer): void {
    this.#free.push(buffer);
    if (this.#free.length > this.#capacity) this.#free.shift();
  }
}
