import type { ResultMessage } from '@millrace/protocol';

/** Results from which it is known what is usual. */
const remembered = 8;
/** A pause is as long as this many frames usually take, and as this many milliseconds. */
const severalFrames = 4;
const shortestPause = 100;

interface Seen {
  readonly sent: number;
  /** From the server's sending to the arrival here. */
  readonly transit: number;
  /** From the capture of the input frame to the arrival here. */
  readonly age: number;
}

/**
 * Finds the results that lay in buffers while this side could not read (PROTOCOL.md section 5). After a pause, one
 * that left the server, or whose input frame was captured, longer ago than usual and one frame interval more is
 * stale: it does not show what is now. One whose input frame was captured since is never stale, however slow the server
 * has become. All times are in milliseconds of the stream's clock.
 */
export class Freshness {
  #seen: readonly Seen[] = [];
  #heard: number | undefined;
  /** When reading went on after a pause; null once a fresh result has come. */
  #resumed: number | null = null;

  /** Something was read from the connection. */
  hear(now: number): void {
    if (this.#heard !== undefined && this.outlived(this.#heard, now)) this.#resumed ??= now;
    this.#heard = now;
  }

  /** Whether `since` is several frame intervals ago; never before the interval is known. */
  outlived(since: number, now: number): boolean {
    const interval = this.#interval;
    return interval !== undefined && now - since > Math.max(shortestPause, severalFrames * interval);
  }

  /** Whether a result that arrived `now` is fresh enough to be shown. */
  admit({ captured, times: { sent } }: ResultMessage, now: number): boolean {
    const seen = { sent, transit: now - sent, age: now - captured };
    if (this.#resumed !== null && captured < this.#resumed && !this.#isFresh(seen)) return false;
    this.#resumed = null;
    this.#seen = [...this.#seen, seen].slice(-remembered);
    return true;
  }

  /** The connection is another one from now on. */
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

  /** Time between two results on average; undefined before there were two. */
  get #interval(): number | undefined {
    const [first] = this.#seen;
    const last = this.#seen.at(-1);
    if (first === undefined || last === undefined || first === last) return undefined;
    return (last.sent - first.sent) / (this.#seen.length - 1);
  }
}
