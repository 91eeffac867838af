/**
 * Counts unacknowledged results, so that at most `limit` are on the way to a client that reads slowly or not at all.
 */
export class ResultWindow {
  readonly #limit: number;
  #sent = 0;
  #acknowledged = 0;
  #reserved = 0;
  /** When it closed, by `performance.now()`; null while it is open. */
  #shutAt: number | null = null;

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
  send(now: number): number {
    this.#reserved -= 1;
    this.#sent += 1;
    if (!this.open) this.#shutAt ??= now;
    return this.#sent;
  }

  /**
   * Counts results up to this one as acknowledged.
   * @returns for how long the window was closed, in milliseconds, if that opens it, or else 0; null if no result with
   *   this number has been sent.
   */
  acknowledge(sequence: number, now: number): number | null {
    if (sequence > this.#sent) return null;
    this.#acknowledged = Math.max(this.#acknowledged, sequence);
    if (this.#shutAt === null || !this.open) return 0;
    const shutMs = now - this.#shutAt;
    this.#shutAt = null;
    return shutMs;
  }
}
