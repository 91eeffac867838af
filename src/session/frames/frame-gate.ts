import { Pace } from '../time/pace.js';
import type { Pauses } from '../time/pause-watch.js';
import type { EngineFeed } from './engine-feed.js';
import { ResultWindow } from './result-window.js';
import { StallGuard } from './stall-guard.js';

/** Frames that wait to enter the engine. */
export interface WaitingFrames {
  /** When the waiting frame of the client arrived, by `performance.now()`; null if there is none. */
  readonly waitingSince: number | null;
  /** Lets a frame enter, if it may. */
  poke(): void;
}

/** Results that wait to be sent. */
export interface WaitingResults {
  /** Drops the waiting result. */
  clear(): void;
  /** Sends the waiting result, if it may be sent. */
  poke(): void;
}

export interface FrameGateOptions {
  /** Takes frames unless it is paused. */
  readonly feed: Pick<EngineFeed, 'running' | 'parameters'>;
  readonly pauses: Pauses;
  /** Results that may be on the way to the client. */
  readonly unacknowledged: number;
}

/**
 * Decides when a frame may enter the engine and when a result may be sent, by the pause of the stream, the window of
 * unacknowledged results, stalls, and the pace. When one of them no longer stands in the way, both are poked.
 */
export class FrameGate {
  readonly #feed: FrameGateOptions['feed'];
  readonly #unacknowledged: number;
  readonly #stalls: StallGuard;
  readonly #pace = new Pace(() => this.poke());
  #frames: WaitingFrames | null = null;
  #results: WaitingResults | null = null;
  /** The results on the way over the current connection. */
  #window: ResultWindow | null = null;
  #lastSentAt: number | null = null;
  #intervalMs = 100;

  constructor({ feed, pauses, unacknowledged }: FrameGateOptions) {
    this.#feed = feed;
    this.#unacknowledged = unacknowledged;
    this.#stalls = new StallGuard(pauses, () => this.poke());
  }

  /** Returns whether a frame may start on its way to the engine. If only the pace stands in the way, a poke follows. */
  tryEnter(): boolean {
    // The pace is last: its check sets a timer.
    return this.#feed.running && this.maySend && this.#pace.check();
  }

  /** Whether a result may be encoded and sent. */
  get maySend(): boolean {
    return !this.#stalls.holding && this.#window !== null && this.#window.open;
  }

  /** The results on the way to the client, another object for each connection; null while there is none. */
  get window(): ResultWindow | null {
    return this.#window;
  }

  /** The usual time from one result to the next, in milliseconds. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** Connects what waits on both sides. */
  connectSides(frames: WaitingFrames, results: WaitingResults): void {
    this.#frames = frames;
    this.#results = results;
  }

  /** Begins a connection, with nothing on the way. */
  connect(): void {
    this.#window = new ResultWindow(this.#unacknowledged);
    this.#lastSentAt = null;
    this.poke();
  }

  /** Closes until the next connection. */
  disconnect(): void {
    this.#window = null;
    this.#stalls.end();
  }

  /** Closes for good. May be called twice. */
  close(): void {
    this.disconnect();
    this.#pace.stop();
  }

  /** Limits the rate of frames. @param fps frames per second; null for no limit. */
  limit(fps: number | null): void {
    this.#pace.limit(fps);
  }

  /** Pokes both sides: the gate may have opened. */
  poke(): void {
    this.#results?.poke();
    this.#frames?.poke();
  }

  /**
   * Notes that a frame of the client arrived. If it shows that a stall is over, the waiting result is dropped.
   * @param lagMs since its capture; null if the client's clock is unknown.
   */
  frameArrived(lagMs: number | null): void {
    if (this.#stalls.frameArrived(lagMs, this.#intervalMs)) this.#results?.clear();
  }

  /** Counts a frame that starts on its way to the engine: it counts for the pace even if it fails. */
  frameBegun(): void {
    this.#pace.take();
  }

  /** Notes that the engine has finished a frame. */
  resultFinished(arrivedAt: number): void {
    this.#stalls.resultFinished(arrivedAt);
  }

  /** Holds a result back, which was about to be sent, after a pause of this process. @returns whether it must wait. */
  holdBack(arrivedAt: number): boolean {
    return this.#stalls.holdBack(arrivedAt, this.#intervalMs);
  }

  /** Counts a result, with a reserved place in the window, as sent. @returns its sequence number. */
  resultSent(window: ResultWindow, now: number): number {
    this.#stalls.resultSent();
    if (this.#lastSentAt !== null) {
      // A stall is not usual.
      const sample = Math.min(now - this.#lastSentAt, 4 * this.#intervalMs);
      this.#intervalMs += (sample - this.#intervalMs) / 8;
    }
    this.#lastSentAt = now;
    return window.send(now);
  }

  /** Notes that the client is done with the results up to this one. @returns false if it has not been sent. */
  acknowledge(sequence: number): boolean {
    const shutMs = this.#window?.acknowledge(sequence, performance.now()) ?? null;
    if (shutMs === null) return false;
    // With txt2img, no newer frame can come from the client.
    if (this.#feed.parameters?.mode === 'img2img') {
      const waitingSince = this.#frames?.waitingSince ?? null;
      if (this.#stalls.clientReturned(shutMs, waitingSince, this.#intervalMs)) this.#results?.clear();
    }
    this.poke();
    return true;
  }
}
