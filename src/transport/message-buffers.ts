/** Sizes of buffers are multiples of this, so that few sizes serve all pictures. */
const step = 16 * 1024;
/** Buffers that are kept while nobody uses them: most messages are written at once. */
const capacity = 16;

/**
 * Memory of messages on their way into the network, used again: what was just written is still in the processor's
 * cache, and nothing waits for the garbage collector.
 */
export class MessageBuffers {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /** Returns memory of at least `bytes` bytes; it may hold anything. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const last = this.#free.pop();
    if (last !== undefined && last.length >= bytes) return last;
    return new Uint8Array(Math.ceil(bytes / step) * step);
  }

  /** Nobody reads or writes it any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#free.length < capacity) this.#free.push(buffer);
  }
}
