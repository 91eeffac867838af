/**
 * Continuation frames of at least this length do not count: large messages consist of many, and their bytes are limited
 * elsewhere.
 */
const pieceBytes = 1024;

/**
 * Finds where WebSocket frames end in a stream of bytes (RFC 6455 section 5.2). It reads lengths only: the WebSocket
 * library checks whether frames are valid.
 */
export class FrameScanner {
  readonly #header = new DataView(new ArrayBuffer(10));
  /** Bytes of the header so far. */
  #have = 0;
  /** Bytes that the frame still lacks after its header; null within a header. */
  #rest: number | null = null;
  #counts = true;

  /** @returns the offset after each counted frame that ends in the chunk: all but long continuations of a message. */
  scan(chunk: Uint8Array): number[] {
    const ends: number[] = [];
    let at = 0;
    while (at < chunk.length || this.#rest === 0) {
      if (this.#rest === null) {
        this.#header.setUint8(this.#have++, chunk[at++] ?? 0);
        this.#readHeader();
        continue;
      }
      const taken = Math.min(this.#rest, chunk.length - at);
      at += taken;
      this.#rest -= taken;
      if (this.#rest > 0) break;
      if (this.#counts) ends.push(at);
      this.#rest = null;
      this.#have = 0;
    }
    return ends;
  }

  /** Once the header is complete, reads the length of the frame, and whether it counts. */
  #readHeader(): void {
    if (this.#have < 2) return;
    const first = this.#header.getUint8(0);
    const second = this.#header.getUint8(1);
    let length = second & 0x7f;
    if (length === 126) {
      if (this.#have < 4) return;
      length = this.#header.getUint16(2);
    } else if (length === 127) {
      if (this.#have < 10) return;
      length = Number(this.#header.getBigUint64(2));
    }
    const mask = second & 0x80 ? 4 : 0;
    this.#counts = (first & 0x0f) !== 0 || length < pieceBytes;
    this.#rest = mask + length;
  }
}
