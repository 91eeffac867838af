import type { ServerMessage } from '@millrace/protocol';
import type { Wire } from './wire.js';

/** A wire that remembers the last result that was sent over it, for operators. */
export class WatchedWire implements Wire {
  readonly #wire: Wire;
  readonly #keep: boolean;
  #picture: Uint8Array | null = null;

  /** @param keep whether pictures are remembered at all. */
  constructor(wire: Wire, keep: boolean) {
    this.#wire = wire;
    this.#keep = keep;
  }

  /** The last result, a JPEG. */
  get picture(): Uint8Array | null {
    return this.#picture;
  }

  get address(): string | undefined {
    return this.#wire.address;
  }

  get bufferedBytes(): number {
    return this.#wire.bufferedBytes;
  }

  send(message: ServerMessage): void {
    if (this.#keep && message.type === 'result') this.#picture = message.data;
    this.#wire.send(message);
  }

  close(code: number, reason: string): void {
    this.#wire.close(code, reason);
  }
}
