import type { StreamParameters } from '@millrace/protocol';
import type { PictureCodec } from '../../image/codec.js';
import type { Image } from '../../image/image.js';
import type { Frame } from './frame-ledger.js';
import { Mailbox } from './mailbox.js';

export interface FrameIntakeOptions {
  /** Largest input image in pixels. */
  readonly framePixels: number;
  readonly allocate: (bytes: number) => Uint8Array<ArrayBuffer>;
  readonly decode: PictureCodec['decode'];
  /** Does the work when it is this stream's turn; returns null if the stream ended before. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T | null>;
  /** Whether a frame may start on its way to the engine. When the answer may have changed, call `poke`. */
  readonly open: () => boolean;
  /** Returns the parameters for the picture; null if the stream has ended. */
  readonly parameters: () => StreamParameters | null;
  /** Called when work on a frame begins: the pace counts it even if the frame fails. */
  readonly begun: () => void;
  /** Takes the picture. */
  readonly enter: (frame: Frame, image: Image) => void;
  /** Called when a newer frame replaced this one. */
  readonly superseded: (frame: Frame) => void;
  /** Called when a frame could not be decoded or fitted. */
  readonly failed: (frame: Frame, error: unknown) => void;
}

/** A spare buffer is dropped if it is more than this many times as large as the next picture. */
const mostSpare = 4;

interface Arrival {
  readonly frame: Frame;
  readonly data: Uint8Array;
}

/** Takes in a client's frames: they wait (the newest wins), then for the stream's turn, and are decoded to its size. */
export class FrameIntake {
  readonly #options: FrameIntakeOptions;
  readonly #waiting: Mailbox<Arrival>;
  /** Frames on their way from the mailbox to their first row in the engine. */
  readonly #underWay = new Set<Frame>();
  #onEmpty: (() => void) | null = null;
  #scratch = new Uint8Array(0);

  constructor(options: FrameIntakeOptions) {
    this.#options = options;
    this.#waiting = new Mailbox({
      open: options.open,
      work: (arrival) => this.#takeIn(arrival),
      dropped: ({ frame }) => options.superseded(frame),
    });
  }

  /** When the waiting frame arrived, by `performance.now()`; null if there is none. */
  get waitingSince(): number | null {
    return this.#waiting.waiting?.frame.arrivedAt ?? null;
  }

  put(frame: Frame, data: Uint8Array): void {
    this.#waiting.put({ frame, data });
  }

  poke(): void {
    this.#waiting.poke();
  }

  /** Drops the waiting frame. */
  clear(): void {
    this.#waiting.clear();
  }

  /** Notes that a frame is in the engine, or was dropped. */
  left(frame: Frame): void {
    this.#underWay.delete(frame);
    if (this.#underWay.size === 0) this.#onEmpty?.();
  }

  /** Waits until no frame is on its way to the engine. */
  async empty(): Promise<void> {
    if (this.#underWay.size === 0) return;
    await new Promise<void>((resolve) => (this.#onEmpty = resolve));
    this.#onEmpty = null;
  }

  /** Forgets all frames. */
  close(): void {
    this.clear();
    this.#underWay.clear();
    this.#onEmpty?.();
  }

  async #takeIn({ frame, data }: Arrival): Promise<void> {
    const parameters = this.#options.parameters();
    if (!parameters) return;
    this.#options.begun();
    this.#underWay.add(frame);
    try {
      const image = await this.#options.inTurn(() => this.#pictureOf(data, parameters));
      if (image) this.#options.enter(frame, image);
    } catch (error) {
      this.#options.failed(frame, error);
    }
  }

  async #pictureOf(data: Uint8Array, parameters: StreamParameters): Promise<Image> {
    const { allocate, decode, framePixels } = this.#options;
    const bytes = parameters.width * parameters.height * 3;
    let spare = true;
    const image = await decode(data, {
      maxPixels: framePixels,
      box: parameters,
      allocate: (needed) => {
        if (needed === bytes) return allocate(needed);
        // Pixels that are resized first never enter the engine, and only one such picture is decoded at a time.
        spare = false;
        return this.#scratchOf(needed);
      },
    });
    if (spare) this.#scratch = new Uint8Array(0);
    return image;
  }

  #scratchOf(bytes: number): Uint8Array<ArrayBuffer> {
    const { length } = this.#scratch;
    if (length < bytes || length > mostSpare * bytes) this.#scratch = new Uint8Array(bytes);
    return this.#scratch.subarray(0, bytes);
  }
}
