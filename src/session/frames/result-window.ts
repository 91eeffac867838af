/**
 * Counts unacknowledged results, so that at most `limit` are on the way to a client that reads slowly or not at all.
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

  /** Reserves a place for a result in preparation; `send` or `cancel` follows. */
  reserve(): void {
    this.#reserved += 1;
  }

  cancel(): void {
    this.#reserved -= 1;
  }

  /** Counts a result as sent. @returns its sequence number. */
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
