import type { GeneratedImage } from '../../engine/engine.js';
import type { PictureCodec } from '../../image/codec.js';
import { publicId, type Frame } from './frame-ledger.js';
import { Mailbox } from './mailbox.js';
import type { Outlet } from '../wire/outlet.js';
import { ResultWindow } from './result-window.js';
import { stageTimes, stageTimings } from './stage-times.js';

/** Generated pixels that wait to be encoded and sent. */
interface Result {
  readonly frame: Frame;
  readonly image: GeneratedImage;
  /** Gives the pixels back to the engine. */
  readonly release: () => void;
}

export interface ResultSenderOptions {
  readonly encode: PictureCodec['encode'];
  /** Results that may be on the way to the client. */
  readonly unacknowledged: number;
  /** Whether results are held back now, so that newer ones may replace them. */
  readonly held: () => boolean;
  /** Returns whether to hold back this result, which was about to be sent. */
  readonly holdsBack: (frame: Frame, interval: number) => boolean;
  /** Records that a frame is answered. @returns false if it already was. */
  readonly answer: (frame: Frame) => boolean;
  /** Called when a newer result replaced this one. */
  readonly stale: (frame: Frame) => void;
}

/** A connection, and the count of results on the way over it. */
interface Line {
  readonly outlet: Outlet;
  readonly window: ResultWindow;
}

/** Sends results: each waits until the client can take it (the newest wins), is encoded, and sent. */
export class ResultSender {
  readonly #options: ResultSenderOptions;
  readonly #waiting: Mailbox<Result>;
  /** The current connection. */
  #line: Line | null = null;
  #closed = false;
  /** When the window closed, by `performance.now()`; null while it is open. */
  #shutSince: number | null = null;
  #lastSent: number | null = null;
  #interval = 100;

  constructor(options: ResultSenderOptions) {
    this.#options = options;
    this.#waiting = new Mailbox({
      open: () => this.open && !options.held(),
      work: (result) => this.#deliver(result),
      dropped: ({ frame, release }) => {
        release();
        options.stale(frame);
      },
    });
  }

  /** Whether the client can take another result. */
  get open(): boolean {
    return this.#line?.window.open ?? false;
  }

  /** The usual time from one result to the next, in milliseconds. */
  get interval(): number {
    return this.#interval;
  }

  /** Sends results over this connection from now on. */
  connect(outlet: Outlet): void {
    this.#line = { outlet, window: new ResultWindow(this.#options.unacknowledged) };
    this.#shutSince = null;
    this.#lastSent = null;
    this.#waiting.poke();
  }

  /** Keeps results waiting from now on. */
  disconnect(): void {
    this.#line = null;
  }

  /** Takes a result; settles when its pixels are no longer needed. */
  async put(frame: Frame, image: GeneratedImage): Promise<void> {
    await new Promise<void>((release) => this.#waiting.put({ frame, image, release }));
  }

  poke(): void {
    this.#waiting.poke();
  }

  /** Drops the waiting result. */
  clear(): void {
    this.#waiting.clear();
  }

  /** Drops all results. May be called twice. */
  close(): void {
    this.#closed = true;
    this.clear();
  }

  /**
   * Notes that the client is done with the results up to this one. To send what waits, call `poke`.
   * @returns for how long the window was closed, in milliseconds; null if no such result has been sent.
   */
  acknowledge(sequence: number): number | null {
    if (!this.#line?.window.acknowledge(sequence)) return null;
    if (this.#shutSince === null || !this.open) return 0;
    const shut = performance.now() - this.#shutSince;
    this.#shutSince = null;
    return shut;
  }

  async #deliver(result: Result): Promise<void> {
    const { frame, image, release } = result;
    const line = this.#line;
    if (!line) return release();
    const { outlet, window } = line;
    if (this.#options.holdsBack(frame, this.#interval)) return this.#waiting.putBack(result);
    let kept = false;
    window.reserve();
    const encodingAt = performance.now();
    try {
      const data = await this.#options.encode(image, frame.quality);
      if (this.#mustWait(frame, line)) {
        kept = true;
        window.cancel();
        return this.#waiting.putBack(result);
      }
      if (!this.#options.answer(frame)) return window.cancel();
      const sentAt = performance.now();
      const timings = stageTimings(frame, image.timings, { encodingAt, sentAt });
      const times = stageTimes(frame, timings, sentAt, outlet.clock);
      const { captured } = frame;
      const { width, height } = image;
      const id = publicId(frame.id);
      const sequence = window.send();
      this.#note(sentAt);
      const transit = frame.id < 0 ? null : outlet.clock.since(captured, frame.arrivedAt);
      outlet.meter.frameSent(sequence, timings, transit);
      outlet.send({ type: 'result', id, sequence, captured, width, height, timings, times, data });
    } catch (error) {
      window.cancel();
      outlet.report('internal', 'the result could not be encoded', { id: publicId(frame.id) }, error);
    } finally {
      if (!kept) release();
    }
  }

  /** Returns whether an encoded result must wait. If its connection was lost during encoding, it is for the next. */
  #mustWait(frame: Frame, line: Line): boolean {
    if (this.#closed) return false;
    return line !== this.#line || this.#options.holdsBack(frame, this.#interval);
  }

  #note(sent: number): void {
    if (this.#lastSent !== null) {
      // A stall is not usual.
      const sample = Math.min(sent - this.#lastSent, 4 * this.#interval);
      this.#interval += (sample - this.#interval) / 8;
    }
    this.#lastSent = sent;
    if (!this.open) this.#shutSince ??= sent;
  }
}
