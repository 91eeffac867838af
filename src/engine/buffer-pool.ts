/** ArrayBuffers for pixels that travel between threads and come back. */
export class BufferPool {
  readonly #capacity: number;
  readonly #free: ArrayBuffer[] = [];

  /** @param capacity most unused buffers that are kept. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Returns a buffer of exactly this size; its content is arbitrary. */
  take(bytes: number): ArrayBuffer {
    const index = this.#free.findIndex((buffer) => buffer.byteLength === bytes);
    const [buffer] = index < 0 ? [] : this.#free.splice(index, 1);
    return buffer ?? new ArrayBuffer(bytes);
  }

  /** Takes a buffer back; above the capacity, the oldest is dropped. */
  give(buffer: ArrayBuffer): void {
    this.#free.push(buffer);
    if (this.#free.length > this.#capacity) this.#free.shift();
  }
}
