/** Sizes of buffers are multiples of this, so that few sizes serve all pictures. */
const step = 16 * 1024;
/** Unused buffers that are kept: most messages are written at once. */
const capacity = 16;

/**
 * Reuses the memory of outgoing messages: it is still in the processor's cache, and nothing waits for the garbage
 * collector.
 */
export class MessageBuffers {
  readonly #free: Uint8Array<ArrayBuffer>[] = [];

  /** Returns memory of at least `bytes` bytes, with any content. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    const last = this.#free.pop();
    if (last !== undefined && last.length >= bytes) return last;
    return new Uint8Array(Math.ceil(bytes / step) * step);
  }

  /** Takes back memory that is no longer in use. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#free.length < capacity) this.#free.push(buffer);
  }
}
