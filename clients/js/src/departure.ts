/** Longest wait for the answers to the frames that were sent, in milliseconds. */
const answersMs = 5000;
/** Longest wait for the resume token after them: older servers send it only at their next checkpoint. */
const tokenMs = 500;

/**
 * Waits until a stream can leave its connection for another server without a loss (PROTOCOL.md section 10): all frames
 * are answered, and the newest resume token was made after that, so that no frame is generated again.
 */
export class Departure {
  /** Whether a result has come after the newest token. */
  #outdated = false;
  #lost = false;
  #look: () => void = () => {};

  /** Begins with a new connection. */
  begin(): void {
    this.#outdated = false;
    this.#lost = false;
  }

  /** Records that a message has come, after the stream has handled it. */
  received(type: string): void {
    if (type === 'result') this.#outdated = true;
    if (type === 'checkpoint' || type === 'drain') this.#outdated = false;
    this.#look();
  }

  /** Records that the connection was lost: no answer comes any more. */
  lost(): void {
    this.#lost = true;
    this.#look();
  }

  /**
   * Waits until all frames are answered, for `most` milliseconds at the longest.
   * @param waiting returns whether frames have no answer.
   */
  async answers(waiting: () => boolean, most: number): Promise<void> {
    await this.#until(() => !waiting(), Math.min(answersMs, most));
  }

  /** Waits until the newest resume token was made after all results. */
  async token(): Promise<void> {
    await this.#until(() => !this.#outdated, tokenMs);
  }

  #until(done: () => boolean, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#look = () => {
        if (!done() && !this.#lost) return;
        clearTimeout(timer);
        resolve();
      };
      this.#look();
    });
  }
}
