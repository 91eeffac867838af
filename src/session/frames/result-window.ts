/**
 * Counts the results that the client has not acknowledged yet, so that one that reads slowly, or not at all,
 * has at most `limit` of them on the way.
 */
export class ResultWindow {
  readonly #limit: number;
  #sent = 0;
  #acknowledged = 0;
  #reserved = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether another result may be prepared and sent. */
  get open(): boolean {
    return this.#sent + this.#reserved - this.#acknowledged < this.#limit;
  }

  /** Keeps a place for a result that is being prepared; it then leads to `send` or `cancel`. */
  reserve(): void {
    this.#reserved += 1;
  }

  cancel(): void {
    this.#reserved -= 1;
  }

  /** @returns the sequence number of the result that now leaves. */
  send(): number {
    this.#reserved -= 1;
    this.#sent += 1;
    return this.#sent;
  }

  /** @returns false if no result with this number has been sent. */
  acknowledge(sequence: number): boolean {
    if (sequence > this.#sent) return false;
    this.#acknowledged = Math.max(this.#acknowledged, sequence);
    return true;
  }
}
