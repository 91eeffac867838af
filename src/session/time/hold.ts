/** A gate that closes for a while and then opens. */
export class Hold {
  readonly #onEnd: () => void;
  #timer: NodeJS.Timeout | null = null;

  /** @param onEnd is called when the time has passed, not on an earlier `end`. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  get active(): boolean {
    return this.#timer !== null;
  }

  /** Begins, unless it has begun already. */
  begin(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#onEnd();
    }, ms);
  }

  /** May be called twice. */
  end(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
