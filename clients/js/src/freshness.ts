import type { ResultMessage } from '@millrace/protocol';

/** Number of recent results that define what is usual. */
const maxSeen = 8;
/** A pause is longer than this many frame intervals and this many milliseconds. */
const pauseFrames = 4;
const shortestPauseMs = 100;

interface Seen {
  readonly sent: number;
  /** From the server's sending to the arrival here. */
  readonly transit: number;
  /** From the capture of the input frame to the arrival here. */
  readonly age: number;
}

/**
 * Detects results that waited in buffers while this side could not read (PROTOCOL.md section 5). After a pause, a
 * result is stale if the time since it was sent, or since its input frame was captured, exceeds the usual time by more
 * than one frame interval. A result whose input frame was captured after the pause is never stale, however slow the
 * server has become. All times are in milliseconds of the stream's clock.
 */
export class Freshness {
  #seen: readonly Seen[] = [];
  #heard: number | undefined;
  /** When reading resumed after a pause; null once a fresh result has arrived. */
  #resumed: number | null = null;

  /** Records that something was read from the connection. */
  hear(now: number): void {
    if (this.#heard !== undefined && this.outlived(this.#heard, now)) this.#resumed ??= now;
    this.#heard = now;
  }

  /** Returns whether `since` is several frame intervals ago; false while the interval is unknown. */
  outlived(since: number, now: number): boolean {
    const interval = this.#interval;
    return interval !== undefined && now - since > Math.max(shortestPauseMs, pauseFrames * interval);
  }

  /** Returns whether a result that arrived `now` is fresh enough to be shown, and remembers it if so. */
  admit({ captured, times: { sent } }: ResultMessage, now: number): boolean {
    const seen = { sent, transit: now - sent, age: now - captured };
    if (this.#resumed !== null && captured < this.#resumed && !this.#isFresh(seen)) return false;
    this.#resumed = null;
    this.#seen = [...this.#seen, seen].slice(-maxSeen);
    return true;
  }

  /** Starts over, for a new connection. */
  forget(): void {
    this.#seen = [];
    this.#heard = undefined;
    this.#resumed = null;
  }

  #isFresh({ transit, age }: Seen): boolean {
    const interval = this.#interval ?? 0;
    const usualTransit = Math.min(...this.#seen.map((seen) => seen.transit));
    const usualAge = Math.max(...this.#seen.map((seen) => seen.age));
    return transit <= usualTransit + interval && age <= usualAge + interval;
  }

  /** Mean time between results; undefined before the second. */
  get #interval(): number | undefined {
    const [first] = this.#seen;
    const last = this.#seen.at(-1);
    if (first === undefined || last === undefined || first === last) return undefined;
    return (last.sent - first.sent) / (this.#seen.length - 1);
  }
}
