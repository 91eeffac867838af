/**
 * Frames that were sent and have no answer, across connections. After a resume, those of the former connection may
 * have results or no answer at all (PROTOCOL.md section 9); since results come in order, the ones before a result
 * are then known to be lost.
 */
export class InFlight {
  #frames: readonly number[] = [];
  #orphans: readonly number[] = [];

  /** A frame was sent; ids rise. */
  add(id: number): void {
    this.#frames = [...this.#frames, id];
  }

  /** The server dropped a frame. */
  dropped(id: number): void {
    this.#frames = this.#frames.filter((other) => other !== id);
    this.#orphans = this.#orphans.filter((other) => other !== id);
  }

  /** A frame has its result. @returns the frames that are known to be lost by that. */
  finished(id: number): readonly number[] {
    this.dropped(id);
    const lost = this.#orphans.filter((other) => other < id);
    this.#orphans = this.#orphans.filter((other) => other > id);
    return lost;
  }

  /** Whether a newer frame than this one is on its way. */
  hasNewer(id: number): boolean {
    return (this.#frames.at(-1) ?? -1) > id;
  }

  /** The newest frame without an answer. */
  get newest(): number | undefined {
    return this.#frames.at(-1) ?? this.#orphans.at(-1);
  }

  /** The stream goes on over another connection. */
  orphan(): void {
    this.#orphans = [...this.#orphans, ...this.#frames];
    this.#frames = [];
  }

  /** Forgets all frames. @returns them: they have no answer any more. */
  clear(): readonly number[] {
    this.orphan();
    const lost = this.#orphans;
    this.#orphans = [];
    return lost;
  }
}
