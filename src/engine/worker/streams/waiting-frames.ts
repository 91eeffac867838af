import type { StreamParameters } from '@millrace/protocol';
import type { FrameInput } from '../../frame-input.js';
import type { EngineDropReason } from '../../messages.js';
import { FrameFilter } from './frame-filter.js';
import type { WaitingFrame } from './stream-context.js';

/** Called for every frame that will not enter. */
type Drop = (waiting: WaitingFrame, reason: EngineDropReason) => void;

/** The frames of a stream that have not entered it yet, oldest first, and the similarity filter on them. */
export class WaitingFrames {
  readonly #drop: Drop;
  readonly #filter: FrameFilter;
  #parameters: StreamParameters;
  #frames: WaitingFrame[] = [];
  /** How many of the oldest have passed the filter. */
  #screened = 0;

  constructor(parameters: StreamParameters, drop: Drop) {
    this.#filter = new FrameFilter(parameters.seed);
    this.#parameters = parameters;
    this.#drop = drop;
  }

  /** Changes the parameters: drops frames of a former size, and applies the filter again. */
  set parameters(parameters: StreamParameters) {
    this.#parameters = parameters;
    this.#filter.reset();
    this.#screened = 0;
    this.#dropMisfits();
  }

  /** The oldest one. */
  get next(): WaitingFrame | undefined {
    return this.#frames[0];
  }

  /**
   * Adds a frame; with `replace`, at most `frame_buffer_size` wait besides those on which work has begun, and the oldest
   * others are dropped.
   */
  push(waiting: WaitingFrame, replace: boolean): void {
    this.#frames.push(waiting);
    if (replace) {
      const waitingOnly = this.#frames.filter(({ arrived }) => arrived === undefined);
      const surplus = Math.max(0, waitingOnly.length - this.#parameters.frame_buffer_size);
      this.#dropAll(waitingOnly.slice(0, surplus), 'superseded');
    }
    this.#dropMisfits();
  }

  /**
   * Applies the similarity filter to the frames that could enter now, and drops similar ones.
   * @param room most frames that may enter.
   */
  screen(room: number): void {
    while (this.#screened < Math.min(room, this.#frames.length)) {
      const waiting = this.#frames[this.#screened];
      if (waiting && !waiting.arrived && this.#filter.skips(waiting.input, this.#parameters))
        this.#dropAll([waiting], 'similar');
      else this.#screened += 1;
    }
  }

  /**
   * Returns those that passed the filter and may enter now.
   * @param room most frames that may enter.
   */
  screened(room: number): readonly WaitingFrame[] {
    return this.#frames.slice(0, Math.min(room, this.#screened));
  }

  /** Removes and returns the oldest one; later ones are compared with it. @throws {RangeError} if there is none. */
  take(): WaitingFrame {
    const waiting = this.#frames.shift();
    if (waiting === undefined) throw new RangeError('no frame is waiting');
    this.#screened -= 1;
    this.#filter.entered(waiting.arrived ?? waiting.input, this.#parameters);
    return waiting;
  }

  /** Changes the input of a frame. Work on it has begun with that: no newer one replaces it. */
  supply(frame: number, change: (input: FrameInput) => FrameInput): void {
    this.#frames = this.#frames.map((waiting) =>
      waiting.frame === frame
        ? { ...waiting, input: change(waiting.input), arrived: waiting.arrived ?? waiting.input }
        : waiting,
    );
  }

  /** Forgets a frame for which a network failed: it has no result that later ones could repeat. */
  discard(frame: number): void {
    this.#remove(this.#frames.filter((waiting) => waiting.frame === frame));
    this.#filter.reset();
  }

  /** Removes and returns all. */
  clear(): readonly WaitingFrame[] {
    this.#screened = 0;
    return this.#frames.splice(0);
  }

  #dropMisfits(): void {
    const { width, height } = this.#parameters;
    const misfits = this.#frames.filter((frame) => frame.width !== width || frame.height !== height);
    this.#dropAll(misfits, 'stale');
  }

  #dropAll(frames: readonly WaitingFrame[], reason: EngineDropReason): void {
    this.#remove(frames);
    for (const waiting of frames) this.#drop(waiting, reason);
  }

  #remove(frames: readonly WaitingFrame[]): void {
    const removed = new Set(frames);
    const screened = this.#frames.slice(0, this.#screened);
    this.#screened = screened.filter((waiting) => !removed.has(waiting)).length;
    this.#frames = this.#frames.filter((waiting) => !removed.has(waiting));
  }
}
