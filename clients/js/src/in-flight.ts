/**
 * Frames that were sent and have no answer yet, across connections. After a resume, those of the former connection may
 * get results or no answer at all (PROTOCOL.md section 9); results arrive in order, so a result shows that the frames
 * before it are lost.
 */
export class InFlight {
  #frames: readonly number[] = [];
  #orphans: readonly number[] = [];
  /** The newest frame that has its result. */
  #newestFinished = -1;

  /** Whether frames of this connection have no answer yet. */
  get waiting(): boolean {
    return this.#frames.length > 0;
  }

  /** Records a sent frame; ids increase. */
  add(id: number): void {
    this.#frames = [...this.#frames, id];
  }

  /** Removes a frame that the server dropped. */
  dropped(id: number): void {
    this.#frames = this.#frames.filter((other) => other !== id);
    this.#orphans = this.#orphans.filter((other) => other !== id);
  }

  /**
   * Returns whether a result is one that came before, or an older one: a stream that continues from an older state may
   * repeat it. Says nothing about frames that the server generates by itself (txt2img), whose ids it counts.
   */
  repeats(id: number): boolean {
    return id <= this.#newestFinished;
  }

  /** Removes a frame that has its result. @returns the frames that are therefore lost. */
  finished(id: number): readonly number[] {
    if (this.#frames.includes(id) || this.#orphans.includes(id)) this.#newestFinished = id;
    this.dropped(id);
    const lost = this.#orphans.filter((other) => other < id);
    this.#orphans = this.#orphans.filter((other) => other > id);
    return lost;
  }

  /** Returns whether a newer frame is in flight. */
  hasNewer(id: number): boolean {
    return (this.#frames.at(-1) ?? -1) > id;
  }

  /** The newest frame without an answer. */
  get newest(): number | undefined {
    return this.#frames.at(-1) ?? this.#orphans.at(-1);
  }

  /** Marks all frames as those of a former connection. */
  orphan(): void {
    this.#orphans = [...this.#orphans, ...this.#frames];
    this.#frames = [];
  }

  /** Removes all frames. @returns them: they will not be answered. */
  clear(): readonly number[] {
    this.orphan();
    const lost = this.#orphans;
    this.#orphans = [];
    return lost;
  }
}
