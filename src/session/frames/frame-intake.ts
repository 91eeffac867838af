import type { DropReason, FrameMessage, StreamParameters } from '@millrace/protocol';
import { ImageError } from '../../image/image.js';
import { ProtocolError } from '../wire/protocol-error.js';
import type { EngineFeed } from './engine-feed.js';
import { FrameClock } from './frame-clock.js';
import type { FrameGate, WaitingFrames } from './frame-gate.js';
import type { Frame, FrameLedger } from './frame-ledger.js';
import { FramePictures, type FramePicturesOptions, type SentPictures } from './frame-pictures.js';
import { Mailbox } from './mailbox.js';
import type { PictureTurns } from './picture-turns.js';

export interface FrameIntakeOptions extends FramePicturesOptions {
  readonly ledger: FrameLedger;
  readonly gate: FrameGate;
  readonly feed: EngineFeed;
  readonly turns: PictureTurns;
}

interface Arrival {
  readonly frame: Frame;
  readonly sent: SentPictures;
}

/**
 * Brings frames into the engine. Those of the client wait at the gate (the newest wins), then for the stream's turn,
 * and are decoded to its size; with txt2img, a clock creates frames instead.
 */
export class FrameIntake implements WaitingFrames {
  readonly #options: FrameIntakeOptions;
  readonly #waiting: Mailbox<Arrival>;
  readonly #clock: FrameClock;
  readonly #pictures: FramePictures;

  constructor(options: FrameIntakeOptions) {
    const { ledger, gate, feed } = options;
    this.#options = options;
    this.#pictures = new FramePictures(options);
    this.#waiting = new Mailbox({
      open: () => feed.parameters?.mode === 'img2img' && gate.tryEnter(),
      work: (arrival) => this.#takeIn(arrival),
      dropped: ({ frame }) => ledger.drop(frame, 'superseded'),
    });
    this.#clock = new FrameClock({ open: () => gate.tryEnter(), tick: () => this.#create() });
  }

  get waitingSince(): number | null {
    return this.#waiting.waiting?.frame.arrivedAt ?? null;
  }

  /** Milliseconds that the pictures of a frame of this stream take; 0 before the first. */
  get decodeMs(): number {
    return this.#options.turns.usualMs(this);
  }

  /** Selects the source of frames: the client, or with txt2img the clock. */
  select({ mode, fps }: StreamParameters): void {
    if (mode === 'img2img') return this.#clock.stop();
    this.clear();
    this.#clock.start(fps);
  }

  /** @throws {ProtocolError} if the id is not higher than all before. */
  receive(message: FrameMessage): void {
    const { id, captured } = message;
    const { ledger, gate, feed } = this.#options;
    const now = performance.now();
    const frame = ledger.receive(id, captured, now);
    if (!frame) throw new ProtocolError('invalid_message', 'frame ids must rise', { field: 'id', id });
    if (ledger.overdrawn) {
      ledger.outlet?.report('credit_exceeded', 'more frames than credits', { id });
      ledger.drop(frame, 'overload');
    } else if (feed.parameters?.mode === 'txt2img') {
      ledger.drop(frame, 'superseded');
    } else {
      gate.frameArrived(ledger.outlet?.clock.since(captured, now) ?? null);
      this.#waiting.put({ frame, sent: message });
    }
  }

  poke(): void {
    this.#waiting.poke();
    this.#clock.poke();
  }

  /** Drops the waiting frame. */
  clear(): void {
    this.#waiting.clear();
  }

  /** Notes that the engine has begun to work on a frame. */
  admitted(frame: Frame): void {
    const { ledger, feed } = this.#options;
    if (!feed.parameters) return;
    ledger.admit(frame, feed.parameters.quality, performance.now());
    if (frame.id < 0) this.#clock.admitted();
  }

  /** Notes that the engine dropped a frame. */
  lost(frame: Frame): void {
    if (frame.id < 0) this.#clock.lost();
  }

  /** Takes in no more frames. May be called twice. */
  close(): void {
    this.#clock.stop();
    this.clear();
    this.#options.turns.remove(this);
  }

  async #takeIn({ frame, sent }: Arrival): Promise<void> {
    const { ledger, gate, feed, turns } = this.#options;
    const { parameters } = feed;
    if (!parameters) return;
    gate.frameBegun();
    ledger.begin(frame);
    try {
      const input = await turns.run(this, () => this.#pictures.make(sent, parameters));
      if (!input) return;
      ledger.enter(frame, performance.now());
      feed.push(frame.id, Object.assign(input, { decodeMs: this.decodeMs / turns.atOnce }));
    } catch (error) {
      ledger.drop(frame, this.#explain(frame, error));
    }
  }

  /** Creates a frame that starts from noise. */
  #create(): void {
    const { ledger, gate, feed } = this.#options;
    const now = performance.now();
    const frame = ledger.create(now);
    gate.frameBegun();
    ledger.enter(frame, now);
    feed.push(frame.id, { image: null });
  }

  /** Reports why a frame could not be prepared. @returns the reason for the drop. */
  #explain({ id }: Frame, error: unknown): DropReason {
    const { outlet } = this.#options.ledger;
    if (error instanceof ImageError) {
      outlet?.report('invalid_frame', error.message, { id });
      return 'invalid';
    }
    if (error instanceof ProtocolError) {
      outlet?.report(error.code, error.message, { ...error.details, id });
      return 'invalid';
    }
    outlet?.report('internal', 'the frame could not be prepared', { id }, error);
    return 'failed';
  }
}
